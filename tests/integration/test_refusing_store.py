"""A database that refuses for a while, under a run that has something to lose: the run waits, and is measured once."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daemon.errors import StoreError
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.messages import RunPhase
from tests.integration.bench_stage import stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8


def locked_twice(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> Counter[str]:
    """Have each of these methods of a store refuse twice once a run is armed; return how often each was called then."""
    calls: Counter[str] = Counter()

    def refusing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def refuse(store: Store, *arguments: Any, **named: Any) -> Any:
            if named.get("event") in {None, "captured", "finished"}:
                key = named.get("event") or name
                calls[key] += 1
                if calls[key] <= 2:
                    raise StoreError("database is locked (planted)")
            return method(store, *arguments, **named)

        return refuse

    for name in names:
        monkeypatch.setattr(Store, name, refusing(name, getattr(Store, name)))
    return calls


async def test_what_was_captured_is_analysed_once_the_database_takes_it(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.run_conductor.RETRY_S", 0.05)
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            calls = locked_twice(monkeypatch, ("add_capture", "record", "record_finished", "add_result"))
            assert (await stage.run("patient", BATCHES))["quality"] == "valid"
            await stage.state("patient", "done")
    assert calls == Counter(add_capture=3, captured=3, record_finished=3, finished=3, add_result=3)
    with Store(sqlite_url(tmp_path), create=False) as store:
        run = store.run("patient")
        assert run is not None
        assert run.state is RunPhase.DONE
        assert len(store.captures("patient")) == len(store.results("patient")) == 1


async def test_what_is_said_of_the_run_in_hand_needs_no_database(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that comes twice rejects nothing, and an abort ends the run, while nothing can be looked up."""
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            await stage.request("twice")
            await stage.state("twice", "armed")
            with monkeypatch.context() as planted:
                planted.setattr(Store, "run", _refuse)
                await stage.request("twice")
                await stage.say("abort", "twice", reason="out_of_memory", text="too large")
                assert (await stage.state("twice", "failed"))["reason"] == "out_of_memory"
            assert (await stage.run("next", BATCHES))["quality"] == "valid"


async def test_a_rejection_that_is_not_written_yet_does_not_end_the_same_request_made_again(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.outbox.RETRY_S", 3600.0)
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            with monkeypatch.context() as planted:
                planted.setattr(Store, "run", _refuse)
                await stage.request("again")
                assert (await stage.state("again", "rejected"))["reason"] == "store_refused"
                assert stage.daemon.outbox.owes("again")
            stage.seen.clear()
            await stage.request("again")
            await stage.state("again", "armed")
            assert not stage.daemon.outbox.owes("again")


def _refuse(*_: Any) -> Any:
    raise StoreError("database is locked (planted)")


async def test_patience_has_an_end(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.run_conductor.STORE_PATIENCE_S", 0.0)
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            with monkeypatch.context() as planted:
                locked_twice(planted, ("add_result",))
                await stage.request("hasty")
                await stage.state("hasty", "armed")
                await stage.marker.play(BATCHES)
                await stage.finish("hasty", BATCHES)
                assert (await stage.state("hasty", "failed"))["reason"] == "store_refused"
            assert (await stage.run("next", BATCHES))["quality"] == "valid"
