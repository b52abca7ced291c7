"""Runs, captures, results and the journal.

The tables as they were at version 2 of the table `schema_version`; no database of version 1 was ever kept.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = None

_ENTRY_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables."""
    versions = op.create_table(
        "schema_version", sa.Column("version", sa.Integer, primary_key=True, autoincrement=False)
    )
    op.bulk_insert(versions, [{"version": 2}])
    _create_runs()
    _create_captures()
    _create_results()
    _create_journal()


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(64), primary_key=True),
        sa.Column("bench", sa.String(64), nullable=False),
        sa.Column("board", sa.String(64), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("batch_size", sa.BigInteger, nullable=False),
        sa.Column("precision", sa.String(64), nullable=False),
        sa.Column("images_planned", sa.BigInteger),
        sa.Column("captures", sa.Integer, nullable=False),
        sa.Column("sync", sa.JSON, nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", sa.String(64)),
        sa.Column("text", sa.Text),
        sa.Column("finished", sa.JSON(none_as_null=True)),
        sa.Column("requested_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("updated_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("runs_by_time", "runs", ["requested_utc_ns"])
    op.create_index("runs_by_state", "runs", ["state"])


def _create_captures() -> None:
    op.create_table(
        "captures",
        sa.Column("capture_id", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("capture_index", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_captures_run_id", "captures", ["run_id"])


def _create_results() -> None:
    op.create_table(
        "results",
        sa.Column("result_id", sa.String(64), primary_key=True),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("batch_size", sa.BigInteger, nullable=False),
        sa.Column("gross_energy_per_image_j", sa.Float(53)),
        sa.Column("gross_u95_j", sa.Float(53)),
        sa.Column("net_energy_per_image_j", sa.Float(53)),
        sa.Column("net_u95_j", sa.Float(53)),
        sa.Column("quality", sa.String(16), nullable=False),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
    )
    op.create_index("results_by_run", "results", ["run_id", "at_utc_ns"])
    op.create_index("results_by_network", "results", ["network", "batch_size"])


def _create_journal() -> None:
    op.create_table(
        "journal",
        sa.Column("entry_id", _ENTRY_ID, primary_key=True, autoincrement=True),
        sa.Column("run_id", sa.String(64), sa.ForeignKey("runs.run_id"), nullable=True),
        sa.Column("at_utc_ns", sa.BigInteger, nullable=False),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32)),
        sa.Column("detail", sa.JSON, nullable=False),
    )
    op.create_index("ix_journal_run_id", "journal", ["run_id"])
