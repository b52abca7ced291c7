"""A journal entry says whose it is, since several daemons may share a database; those that stand do not know.

From here on `alembic_version` tells the revision. `schema_version` stays at 5, so that software of before refuses it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column, and lock older software out."""
    op.add_column("journal", sa.Column("bench", sa.String(64)))
    op.execute("UPDATE schema_version SET version = 5")
