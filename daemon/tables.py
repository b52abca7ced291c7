"""Tables of the database: runs, their captures and results, and the journal of everything that happened.

Every change here needs a revision in `daemon/migrations/versions`, which brings older databases to the same tables.
"""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

metadata = MetaData()

_RUN_ID_LENGTH = 64
_JOURNAL_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only where it is INTEGER


def _run_id(**options: Any) -> Column[str]:
    return Column("run_id", String(_RUN_ID_LENGTH), ForeignKey("runs.run_id"), **options)


schema_version = Table("schema_version", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(_RUN_ID_LENGTH), primary_key=True),
    Column("bench", String(64), nullable=False),
    Column("board", String(64), nullable=False),
    Column("network", String(64), nullable=False),
    Column("batch_size", BigInteger, nullable=False),
    Column("precision", String(64), nullable=False),
    Column("backend", String(64)),
    Column("images_planned", BigInteger),
    Column("captures", Integer, nullable=False),
    Column("sync", JSON, nullable=False),
    Column("state", String(32), nullable=False),
    Column("reason", String(64)),
    Column("text", Text),
    Column("finished", JSON(none_as_null=True)),
    Column("requested_utc_ns", BigInteger, nullable=False),
    Column("updated_utc_ns", BigInteger, nullable=False),
    Column("announced_utc_ns", BigInteger),
    Index("runs_by_time", "requested_utc_ns"),
    Index("runs_by_state", "state"),
)

captures = Table(
    "captures",
    metadata,
    Column("capture_id", String(64), primary_key=True),
    _run_id(nullable=False, index=True),
    Column("capture_index", Integer, nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("at_utc_ns", BigInteger, nullable=False),
    Column("removed_utc_ns", BigInteger),
    Column("removed_reason", Text),
)

results = Table(
    "results",
    metadata,
    Column("result_id", String(64), primary_key=True),
    _run_id(nullable=False),
    Column("network", String(64), nullable=False),
    Column("batch_size", BigInteger, nullable=False),
    Column("gross_energy_per_image_j", Float(53)),
    Column("gross_u95_j", Float(53)),
    Column("net_energy_per_image_j", Float(53)),
    Column("net_u95_j", Float(53)),
    Column("quality", String(16), nullable=False),
    Column("at_utc_ns", BigInteger, nullable=False),
    Column("document", JSON, nullable=False),
    Index("results_by_run", "run_id", "at_utc_ns"),
    Index("results_by_network", "network", "batch_size"),
)

journal = Table(
    "journal",
    metadata,
    Column("entry_id", _JOURNAL_ID, primary_key=True, autoincrement=True),
    _run_id(nullable=True, index=True),
    Column("at_utc_ns", BigInteger, nullable=False),
    Column("event", String(64), nullable=False),
    Column("state", String(32)),
    Column("detail", JSON, nullable=False),
    Column("bench", String(64)),
)
