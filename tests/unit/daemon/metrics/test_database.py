"""Database: transactions that write are timed to their commit; what the database refuses is counted."""

import sqlite3
from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.metrics import Metrics
from daemon.store import Store

RUN = {
    "run_id": "r",
    "board": "b",
    "network": "alexnet",
    "batch_size": 4,
    "precision": "fp32",
    "images_planned": None,
    "captures": 1,
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def store(tmp_path: Path, metrics: Metrics) -> Store:
    store = Store(f"sqlite:///{tmp_path / 'store.sqlite'}")
    metrics.database.watch(store.engine)
    return store


def value(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"joulebench_database_{name}")


def test_writes_are_timed_and_reads_are_not(store: Store, metrics: Metrics) -> None:
    store.create_run(**RUN)  # type: ignore[arg-type]
    assert store.run("r") is not None
    store.check_writable()
    assert value(metrics, "write_seconds_count") == 1
    store.record("r", event="armed")
    assert value(metrics, "write_seconds_count") == 2
    assert value(metrics, "write_seconds_sum") > 0  # type: ignore[operator]


def test_what_is_refused_is_counted_and_not_timed(store: Store, metrics: Metrics) -> None:
    store.create_run(**RUN)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="no such run"):
        store.record("unknown", event="armed", state="armed")
    assert (value(metrics, "errors_total"), value(metrics, "write_seconds_count")) == (0, 1), "rolled back by us"
    assert store.create_run(**RUN) is False  # type: ignore[arg-type]
    assert (value(metrics, "errors_total"), value(metrics, "write_seconds_count")) == (1, 1)


def test_a_journal_that_cannot_be_written_is_told(tmp_path: Path, store: Store) -> None:
    store.check_writable()
    with store.engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT COUNT(*) FROM runs").scalar() == 0, "and nothing was written"
    other = sqlite3.connect(tmp_path / "store.sqlite")
    other.execute("DROP TABLE runs")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match="cannot write the journal: no such table"):
        store.check_writable()
