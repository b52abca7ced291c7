"""Database: transactions that write are timed to their commit; what SQLite or PostgreSQL refuses is counted."""

from collections.abc import Iterator

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
def store(store_url: str, metrics: Metrics) -> Iterator[Store]:
    with Store(store_url) as store:
        metrics.database.watch(store.engine)
        yield store


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


def test_a_journal_that_cannot_be_written_is_told(database_url: str) -> None:
    with Store(database_url) as store:
        store.create_run(**RUN)  # type: ignore[arg-type]
        before = store.run("r")
        store.check_writable()
        assert store.run("r") == before, "and nothing was written"
        with store.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE runs RENAME TO gone")
        with pytest.raises(StoreError, match="cannot write the journal: "):
            store.check_writable()
