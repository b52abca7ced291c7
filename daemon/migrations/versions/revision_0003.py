"""A run says what it was run with; those that stand do not know."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column."""
    op.add_column("runs", sa.Column("backend", sa.String(64)))
    op.execute("UPDATE schema_version SET version = 3")
