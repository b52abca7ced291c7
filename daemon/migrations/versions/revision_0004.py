"""A run says when the broker had its end; whoever waited for one that has ended by now waits no more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column, and take the runs that have ended for announced."""
    op.add_column("runs", sa.Column("announced_utc_ns", sa.BigInteger))
    ended = "('done', 'rejected', 'failed', 'interrupted')"
    op.execute(f"UPDATE runs SET announced_utc_ns = updated_utc_ns WHERE state IN {ended}")  # noqa: S608 - a constant
    op.execute("UPDATE schema_version SET version = 4")
