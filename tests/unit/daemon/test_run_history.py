"""Every run with its results: the same as asked for one by one, by two queries."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from daemon.run_history import each_result, runs_with_results
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.postgresql import PostgresqlServer
from tests.unit.daemon.example_result import example_result
from tests.unit.daemon.stored_runs import add_run


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(sqlite_url(tmp_path)) as found:
        fill(found)
        yield found


def fill(store: Store) -> None:
    for number in range(4):
        add_run(store, f"r{number}", energy_j=1.0 + number)
    # Of one moment: then the greater identifier is the newer, as it is where one run is asked for.
    for result_id, at_utc_ns in (("a", 5), ("c", 5), ("b", 5), ("z", 0)):
        store.add_result(example_result(run_id="r2", result_id=result_id) | {"at_utc_ns": at_utc_ns})
    request = {"board": "b", "network": "n", "batch_size": 1, "precision": "fp32", "captures": 1}
    store.create_run(run_id="without", images_planned=None, **request)  # type: ignore[arg-type]


def test_it_is_what_is_told_of_each_run_alone(store: Store) -> None:
    runs = store.runs(100)
    assert runs_with_results(store, newest_only=False) == [(run, tuple(store.results(run.run_id))) for run in runs]
    newest = {run.run_id: results for run, results in runs_with_results(store)}
    assert newest == {run.run_id: () if (one := store.latest_result(run.run_id)) is None else (one,) for run in runs}
    assert newest["r2"][0].result_id == "c"
    assert newest["without"] == ()


def test_results_are_paired_with_their_run(store: Store) -> None:
    pairs = each_result(runs_with_results(store, newest_only=False))
    assert sorted(result.result_id for run, result in pairs if run.run_id == "r2") == ["a", "b", "c", "r2-result", "z"]
    assert all(run.run_id == result.run_id for run, result in pairs)


def test_many_runs_take_no_more_queries(store: Store) -> None:
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *arguments: asked.append(arguments[2]))
    assert len(runs_with_results(store)) == 5
    assert len(asked) == 2


def test_postgresql_says_the_same(postgresql_server: PostgresqlServer) -> None:
    url = postgresql_server.new_database()
    with Store(url) as store:
        fill(store)
    with Store(url, read_only=True) as store:
        newest = {run.run_id: results for run, results in runs_with_results(store)}
    assert newest["r2"][0].result_id == "c"
    assert newest["without"] == ()
