"""A capture says when retention removed its file, and why; all that stand are kept."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("captures", sa.Column("removed_utc_ns", sa.BigInteger))
    op.add_column("captures", sa.Column("removed_reason", sa.Text))
