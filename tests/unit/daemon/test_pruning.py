"""Pruning: marked and journalled before files go, and never what results refer to, unless that is wanted."""

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from daemon.captures import CaptureFiles
from daemon.doctor.examination import Examination
from daemon.doctor.scene import Scene
from daemon.errors import CaptureRemoved, StorageHeld
from daemon.measurement import Measurement
from daemon.pruning import Pruning
from daemon.retention import Removal
from daemon.retention_task import PERIOD_S, POLL_S, RETRY_S, RetentionTask
from daemon.sections.retention import RetentionSection
from daemon.storage_hold import storage_hold
from daemon.store import Store
from tests.unit.daemon.doctor.sound_storage import (
    RUNS,
    add_unfinished_run,
    configuration_of,
    store_of,
    write_capture,
)
from tests.unit.daemon.test_measurement import configuration as measuring_configuration
from tests.unit.daemon.test_measurement import measured_run


@pytest.fixture
def storage(storage: Path) -> Path:
    with store_of(storage) as store:
        store.add_capture("given-up", 0, write_capture(storage, "given-up", 0), at_utc_ns=1)
        add_unfinished_run(store, "goes-on")
        store.add_capture("goes-on", 0, write_capture(storage, "goes-on", 0), at_utc_ns=1)
    return storage


@contextmanager
def pruning_of(folder: Path, **limits: object) -> Iterator[Pruning]:
    with Pruning.of(configuration_of(folder), RetentionSection.model_validate(limits)) as pruning:
        yield pruning


def prune(folder: Path, **limits: object) -> list[str]:
    with pruning_of(folder, **limits) as pruning:
        return [one.run.run_id for one in pruning.plan().removals if pruning.remove(one)]


def there(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "captures").iterdir()}


def codes(folder: Path) -> set[str]:
    found = Examination(Scene.of(configuration_of(folder), held=False)).diagnosis().findings
    return {one.code.value for one in found}


def test_what_no_result_refers_to_goes_and_its_row_says_when_and_why(storage: Path) -> None:
    before = there(storage)

    assert prune(storage, max_age_days=0.001) == ["given-up"]

    assert before - there(storage) == {"given-up-0"}
    with store_of(storage) as store:
        (row,) = store.captures("given-up")
        assert row.removed_utc_ns is not None
        assert row.removed_reason == "older than 0.001 days"
        entry = store.journal("given-up")[-1]
        assert (entry.event, entry.state) == ("captures_removed", None)
        assert entry.detail == {
            "reason": "older than 0.001 days", "capture_ids": ["given-up-0"], "size_bytes": row.size_bytes, "results": 0
        }  # fmt: skip
    assert codes(storage) == {"run_unanalysed"}
    assert prune(storage, max_age_days=0.001) == []


def test_what_results_refer_to_goes_only_where_that_is_wanted(storage: Path) -> None:
    assert prune(storage, max_bytes=0) == ["given-up"]

    assert prune(storage, max_bytes=0, including_referenced=True) == list(RUNS)

    assert there(storage) == {"goes-on-0", "gain-1-00"}
    assert codes(storage) == {"run_unanalysed"}
    with store_of(storage) as store:
        assert [one.removed_utc_ns is None for one in store.captures("goes-on")] == [True]
        assert len(store.results(RUNS[0])) == 1
        assert store.journal(RUNS[0])[-1].detail["results"] == 1


def test_a_result_that_came_after_the_plan_keeps_its_captures(storage: Path) -> None:
    with pruning_of(storage, max_age_days=0.001) as pruning:
        (removal,) = pruning.plan().removals
        with store_of(storage) as store:
            document = dict(store.results(RUNS[0])[0].document)
            store.add_result(document | {"run_id": "given-up", "result_id": "late", "capture_ids": ["given-up-0"]})
        assert not pruning.remove(removal)
    assert "given-up-0" in there(storage)
    with store_of(storage) as store:
        assert store.captures("given-up")[0].removed_utc_ns is None


def test_a_run_that_goes_on_after_all_keeps_its_captures(storage: Path) -> None:
    with pruning_of(storage, max_bytes=0, including_referenced=True) as pruning:
        (run,) = (one for one in pruning.ledger.kept_runs() if one.run_id == "goes-on")
        assert not run.over
        assert not pruning.remove(Removal(run=run, reason="age"))
    assert "goes-on-0" in there(storage)
    with store_of(storage) as store:
        assert store.captures("goes-on")[0].removed_utc_ns is None
        assert "captures_removed" not in {one.event for one in store.journal("goes-on")}


@pytest.mark.parametrize("name", ["../certificates/kept.parquet", "{folder}/kept.parquet", "..", "given-up-0.json"])
def test_no_name_in_the_database_reaches_beyond_the_captures(storage: Path, name: str) -> None:
    kept = [storage / "kept.parquet", storage / "certificates" / "kept.parquet", storage / "captures/given-up-0.json"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    with sqlite3.connect(storage / "joulebench.sqlite") as database:
        told = (name.replace("{folder}", str(storage)),)
        assert database.execute("UPDATE captures SET name = ? WHERE run_id = 'given-up'", told).rowcount == 1
    database.close()

    with pruning_of(storage, max_age_days=0.001) as pruning:
        (removal,) = pruning.plan().removals
        pruning.remove(removal)
        pruning.finish_earlier()

    assert len(pruning.failures) == 2
    assert "is no capture of this folder" in pruning.failures[0]
    assert all(path.exists() for path in kept)


def test_another_benchs_captures_are_not_ours(storage: Path) -> None:
    shared = configuration_of(storage, database_url=f"sqlite:///{storage / 'joulebench.sqlite'}")
    other = shared.model_copy(update={"bench": shared.bench.model_copy(update={"name": "bench-2"})})
    everything = RetentionSection(max_bytes=0, including_referenced=True)
    with Pruning.of(other, everything) as pruning:
        assert pruning.plan().removals == ()
    with Pruning.of(shared, everything) as pruning:
        assert len(pruning.plan().removals) == len(RUNS) + 1


def test_who_was_stopped_between_mark_and_removal_is_found_and_finished(storage: Path) -> None:
    with pruning_of(storage, max_age_days=0.001) as pruning:
        (removal,) = pruning.plan().removals
        assert pruning.ledger.mark_removed(removal, including_referenced=False)
    assert "capture_not_removed" in codes(storage)

    with pruning_of(storage, max_age_days=0.001) as pruning:
        assert pruning.finish_earlier() == 1
        assert pruning.finish_earlier() == 0
    assert "given-up-0" not in there(storage)
    assert codes(storage) == {"run_unanalysed"}


def test_a_file_that_will_not_go_is_told_and_keeps_nothing_from_the_rest(storage: Path) -> None:
    path = storage / "captures" / "run-0-0.parquet"
    path.unlink()
    path.mkdir()
    with pruning_of(storage, max_bytes=0, including_referenced=True) as pruning:
        for removal in pruning.plan().removals:
            assert pruning.remove(removal)
    assert there(storage) == {"goes-on-0", "gain-1-00", "run-0-0"}
    (failure,) = pruning.failures
    assert failure.startswith(f"{path}: ")


def test_a_backup_keeps_it_away(storage: Path) -> None:
    with (
        storage_hold(storage, removing=False),
        storage_hold(storage, removing=False),
        pruning_of(storage, max_bytes=0) as pruning,
        pytest.raises(StorageHeld, match="try again when it is done"),
        pruning.alone(),
    ):
        pass
    with (
        pruning_of(storage, max_bytes=0) as pruning,
        pruning.alone(),
        pytest.raises(StorageHeld),
        storage_hold(storage, removing=False),
    ):
        pass


def test_a_run_whose_captures_were_removed_says_so_when_it_is_computed_again(tmp_path: Path) -> None:
    configuration = measuring_configuration(tmp_path)
    files = CaptureFiles(configuration.storage.captures_directory)
    with Store(configuration.storage.url, bench="b") as store:
        measurement = Measurement(configuration, store, files, version="9.9")
        measured_run(measurement, store)
        first = measurement.result("r")
        store.record("r", event="analysed", state="done")
        content = files.path("r-0.parquet").read_bytes()
        limits = RetentionSection(max_bytes=0, including_referenced=True)
        with Pruning.of(configuration, limits) as pruning:
            assert [pruning.remove(one) for one in pruning.plan().removals] == [True]
        with pytest.raises(
            CaptureRemoved, match=r"r-0\.parquet: removed by retention on 20.*copied back from a backup"
        ):
            measurement.result("r")
        files.path("r-0.parquet").write_bytes(content)
        again = measurement.result("r")
    volatile = {"result_id", "at_utc_ns"}
    assert again.model_dump(exclude=volatile) == first.model_dump(exclude=volatile)


class Clock:
    """Sleeps that are only counted; after some of them the world changes."""

    def __init__(self, *, until: int) -> None:
        self.slept: list[float] = []
        self._until = until

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if len(self.slept) == self._until:
            raise asyncio.CancelledError


async def test_the_daemon_prunes_at_its_start_and_once_a_day(storage: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock(until=2)
    retention = RetentionSection(max_age_days=1, including_referenced=True)
    configuration = configuration_of(storage).model_copy(update={"retention": retention})
    with pytest.raises(asyncio.CancelledError):
        await RetentionTask(configuration, lambda: None, sleep=clock.sleep).run()
    assert clock.slept == [PERIOD_S, PERIOD_S]
    assert "given-up-0" not in there(storage)
    assert [line for line in caplog.messages if "retention removed the captures of" in line]


async def test_it_waits_while_a_run_is_in_hand(storage: Path) -> None:
    in_hand = iter(["a", "a", None, "b", None])
    clock = Clock(until=10)
    retention = RetentionSection(max_age_days=1)
    configuration = configuration_of(storage).model_copy(update={"retention": retention})
    await RetentionTask(configuration, lambda: next(in_hand), sleep=clock.sleep).prune()
    assert clock.slept == [POLL_S] * 3
    assert "given-up-0" not in there(storage)


async def test_one_that_is_kept_from_it_tries_again_and_says_so(
    storage: Path, caplog: pytest.LogCaptureFixture
) -> None:
    retention = RetentionSection(max_bytes=0)
    configuration = configuration_of(storage).model_copy(update={"retention": retention})
    clock = Clock(until=1)
    with storage_hold(storage, removing=False), pytest.raises(asyncio.CancelledError):
        await RetentionTask(configuration, lambda: None, sleep=clock.sleep).run()
    assert clock.slept == [RETRY_S]
    assert "in use" in caplog.text
    assert "given-up-0" in there(storage)

    clock = Clock(until=1)
    with pytest.raises(asyncio.CancelledError):
        await RetentionTask(configuration, lambda: None, sleep=clock.sleep).run()
    assert "more than retention.max_bytes: results refer to them" in caplog.text


async def test_without_a_limit_it_does_nothing(storage: Path) -> None:
    before = there(storage)
    await RetentionTask(configuration_of(storage), lambda: None).run()
    assert there(storage) == before
