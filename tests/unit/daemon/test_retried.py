"""Transactions that never happened are tried again; what may have happened is not."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import DBAPIError, OperationalError

from daemon import retried as retried_module
from daemon.database_errors import cause_of, is_duplicate, never_happened, sqlstate_of
from daemon.errors import StoreError, StoreInterrupted
from daemon.retried import PAUSES_S, retried
from daemon.store import Store
from daemon.tables import runs
from daemon.transaction import transaction


class Flaky:
    """Something that fails so many times."""

    def __init__(self, failures: int, error: StoreError) -> None:
        self.failures, self.error, self.calls = failures, error, 0

    @retried
    def work(self, value: int) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise self.error
        return value


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr(retried_module.time, "sleep", taken.append)
    return taken


def refused(state: str, message: str = "no") -> OperationalError:
    """An error as SQLAlchemy makes it of pg8000's."""
    return OperationalError("SELECT secret", {}, Exception({"S": "ERROR", "C": state, "M": message}))


def test_what_never_happened_is_done_again_until_it_is_done(pauses: list[float]) -> None:
    flaky = Flaky(3, StoreInterrupted("gone"))

    assert flaky.work(7) == 7
    assert flaky.calls == 4
    assert all(pause / 2 <= taken <= pause for pause, taken in zip(PAUSES_S, pauses, strict=False))


def test_attempts_come_to_an_end() -> None:
    flaky = Flaky(99, StoreInterrupted("gone"))

    with pytest.raises(StoreInterrupted):
        flaky.work(7)
    assert flaky.calls == len(PAUSES_S) + 1


def test_attempts_that_take_long_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(0, 1000, 15))
    monkeypatch.setattr(retried_module.time, "monotonic", lambda: float(next(times)))
    flaky = Flaky(99, StoreInterrupted("gone"))

    with pytest.raises(StoreInterrupted):
        flaky.work(7)
    assert flaky.calls == 2


def test_what_may_have_happened_is_not_done_again() -> None:
    flaky = Flaky(1, StoreError("maybe"))

    with pytest.raises(StoreError, match="maybe"):
        flaky.work(7)
    assert flaky.calls == 1


@pytest.mark.parametrize(
    ("state", "connected", "committing", "expected"),
    [
        ("40001", True, False, True),
        ("40001", True, True, True),  # a serialisation failure in the commit is a rollback
        ("40P01", True, False, True),
        ("57P03", False, False, True),
        ("53300", False, False, True),
        ("28P01", False, False, False),
        ("3D000", False, False, False),
        ("23505", True, False, False),
        ("55P03", True, False, False),
    ],
)
def test_the_servers_code_says_what_is_worth_another_attempt(
    state: str, connected: bool, committing: bool, expected: bool
) -> None:
    assert never_happened(refused(state), connected=connected, committing=committing) is expected


@pytest.mark.parametrize(("committing", "expected"), [(False, True), (True, False)])
def test_a_lost_connection_is_harmless_until_the_commit(committing: bool, expected: bool) -> None:
    lost = DBAPIError("SELECT 1", {}, Exception("network error"), connection_invalidated=True)
    for error in (lost, ConnectionResetError(), TimeoutError()):
        assert never_happened(error, connected=True, committing=committing) is expected


def test_a_server_that_cannot_be_reached_is_asked_again() -> None:
    unreachable = DBAPIError(None, None, Exception("Can't create a connection"))
    assert never_happened(unreachable, connected=False, committing=False)


def test_a_drivers_error_is_told_in_its_words_alone() -> None:
    error = refused("23505", "duplicate key")
    assert (cause_of(error), sqlstate_of(error), is_duplicate(error)) == ("duplicate key", "23505", True)
    assert cause_of(TimeoutError()) == "TimeoutError"


class Crossing:
    """Changes two runs in one transaction; the first time it waits in the middle for another, who has the other."""

    def __init__(self, engine: Engine, together: threading.Barrier) -> None:
        self.engine, self.together, self.attempts = engine, together, 0

    @retried
    def change(self, run_ids: tuple[str, str]) -> None:
        self.attempts += 1
        with transaction(self.engine, "cross") as connection:
            for run_id in run_ids:
                connection.execute(update(runs).where(runs.c.run_id == run_id).values(text=run_ids[0]))
                if self.attempts == 1 and run_id == run_ids[0]:
                    self.together.wait(60)


def test_two_that_wait_for_each_other_both_come_to_their_end(postgresql_url: str) -> None:
    """A real deadlock: the server ends one of them, whose work is done again."""
    with Store(postgresql_url) as store:
        for run_id in ("a", "b"):
            store.create_run(
                run_id=run_id, board="x", network="n", batch_size=1, precision="fp32", images_planned=None, captures=1
            )
        together = threading.Barrier(2)
        crossings = [Crossing(store._engine, together) for _ in range(2)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Crossing.change, crossings, [("a", "b"), ("b", "a")]))

        assert sorted(one.attempts for one in crossings) == [1, 2]
        texts = {run.text for run in store.runs()}
        assert len(texts) == 1, "each changed both"
        assert texts <= {"a", "b"}


def test_a_session_that_the_server_ends_in_mid_transaction_is_not_used_again(postgresql_url: str) -> None:
    def end_itself() -> None:
        with transaction(store._engine, "go on") as connection:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")

    with Store(postgresql_url) as store:
        with pytest.raises(StoreInterrupted, match="cannot go on: network error"):
            end_itself()
        with transaction(store._engine, "count") as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM runs").scalar() == 0


def test_sqlite_that_is_locked_has_waited_and_is_not_asked_again(tmp_path: Path) -> None:
    def change() -> None:
        with transaction(store._engine, "change") as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
            connection.exec_driver_sql("UPDATE runs SET text = '1'")

    with Store(f"sqlite:///{tmp_path / 'a.sqlite'}") as store, store._engine.connect() as other:
        other.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="cannot change: database is locked") as caught:
            change()
        assert not isinstance(caught.value, StoreInterrupted)
        other.rollback()
