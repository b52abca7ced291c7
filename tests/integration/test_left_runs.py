"""Left runs: what a daemon that was killed left in the middle, the next one ends rightly, once, and says so."""

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.errors import StoreError
from daemon.measurement import Measurement
from daemon.records import RunRecord
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.messages import RunPhase
from tests.integration.bench_stage import BOARD, Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8
RUN = "left"
RUNNING = 1 << 3
"""Bit of the operation status: an acquisition is going on."""


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=20.0)) as running:
        yield running


class Lab:
    """A lab whose daemon comes and goes; its data stay."""

    def __init__(self, bench: SimulatedBenchThread, broker: MosquittoBroker, folder: Path) -> None:
        self._bench, self._broker, self._folder = bench, broker, folder

    @asynccontextmanager
    async def daemon(self, **changes: Any) -> AsyncIterator[Stage]:
        async with stage_of(self._bench, self._broker.port, self._folder, **changes) as stage:
            yield stage

    def oscilloscope(self, message: str) -> str:
        """Say something to the oscilloscope, as somebody else on its raw socket, and return its answer."""
        host, port = self._bench.addresses.oscilloscope.split("::")[1:3]
        with socket.create_connection((host, int(port))) as connection, connection.makefile("rw") as lines:
            lines.write(f"{message}\n")
            lines.flush()
            return lines.readline().strip()

    def run(self, run_id: str) -> RunRecord:
        """Return a run as the database has it."""
        with Store(sqlite_url(self._folder), create=False) as store:
            found = store.run(run_id)
        assert found is not None
        return found

    def change(self, statement: str) -> None:
        """Change the database behind the daemon's back."""
        with Store(sqlite_url(self._folder), create=False) as store, store._engine.begin() as connection:
            connection.exec_driver_sql(statement)

    async def leave_a_run(self, *, captured: bool, entered: bool = True, finished: bool = False) -> None:
        """Measure a run, and make of it what a kill in the middle of another would leave."""
        async with self.daemon() as stage:
            await stage.run("whole", BATCHES)
            await stage.state("whole", "done")
            store, measurement = stage.daemon.store, stage.daemon.conductor._services.measurement
            store.create_run(
                run_id=RUN, board=BOARD, network="alexnet", batch_size=4, precision="fp32", images_planned=None,
                captures=1, sync=("marker",),
            )  # fmt: skip
            store.record(RUN, event="armed", state=RunPhase.ARMED)
            if captured:
                files = measurement._files
                extra = files.describe("whole-0.parquet")["extra"]
                reference = files.write(f"{RUN}-0", files.read("whole-0.parquet"), extra | {"run_id": RUN})
                if entered:
                    store.add_capture(RUN, 0, reference)
                    store.record(RUN, event="captured", state=RunPhase.CAPTURED)
            report = store.run("whole")
            assert report is not None
            assert report.finished is not None
            if finished:
                store.record_finished(RUN, report.finished)


@pytest.fixture
def lab(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Lab:
    return Lab(bench, mosquitto_broker, tmp_path)


@pytest.mark.parametrize("entered", [True, False], ids=["with its row", "file alone"])
async def test_a_captured_run_is_analysed_once(lab: Lab, entered: bool) -> None:
    await lab.leave_a_run(captured=True, entered=entered, finished=True)
    for again in (False, True):
        async with lab.daemon() as stage:
            if not again:
                assert (await stage.result(RUN))["quality"] == "valid"
                await stage.state(RUN, "done")
            await stage.run(f"next-{again}", BATCHES)
            await stage.state(f"next-{again}", "done")
            assert len(stage.daemon.store.results(RUN)) == 1
            # announced once, and not again at every start
            assert len([topic for topic, _ in stage.seen if RUN in topic and topic.endswith("result")]) == 1 - again


async def test_a_report_that_came_while_no_daemon_was_there_completes_its_run(lab: Lab) -> None:
    await lab.leave_a_run(captured=True)
    async with lab.daemon() as stage:
        # the board's agent goes on without a daemon; its report waits in the broker or comes now
        await stage.finish(RUN, BATCHES)
        assert (await stage.result(RUN))["quality"] == "valid"
        await stage.state(RUN, "done")


async def test_a_board_that_never_reports_is_not_waited_for_for_ever(lab: Lab) -> None:
    await lab.leave_a_run(captured=True)
    async with lab.daemon(runs={"finished_timeout_s": 0.2}) as stage:
        assert (await stage.state(RUN, "failed"))["reason"] == "finished_missing"
        await stage.run("next", BATCHES)


async def test_the_bench_is_free_while_a_left_run_waits_for_its_board(lab: Lab) -> None:
    await lab.leave_a_run(captured=True)
    async with lab.daemon() as stage:
        assert (await stage.run("next", BATCHES))["quality"] == "valid"
        await stage.request(RUN)  # the board asks where its run stands
        assert (await stage.state(RUN, "captured"))["reason"] is None
    assert lab.run(RUN).state is RunPhase.CAPTURED  # left to the next daemon once more
    async with lab.daemon() as stage:
        await stage.finish(RUN, BATCHES)
        await stage.state(RUN, "done")


async def test_a_captured_run_outlives_a_daemon_that_is_told_to_stop_at_once(lab: Lab) -> None:
    async with lab.daemon() as stage:  # runs.on_shutdown is `interrupt`
        await stage.request(RUN)
        await stage.state(RUN, "armed")
        await stage.say("started", RUN, started_utc_ns=1)
        await stage.marker.play(BATCHES)
        await stage.state(RUN, "captured")
    assert lab.run(RUN).state is RunPhase.CAPTURED
    async with lab.daemon() as stage:
        await stage.finish(RUN, BATCHES)
        assert (await stage.result(RUN))["quality"] == "valid"
        await stage.state(RUN, "done")


async def test_an_analysis_that_a_stop_cuts_short_is_done_by_the_next_daemon(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        assert stopped.wait(60)
        raise StoreError("the daemon is gone (planted)")

    with monkeypatch.context() as planted:
        planted.setattr(Measurement, "result", slow)
        async with lab.daemon() as stage:
            await stage.request(RUN)
            await stage.state(RUN, "armed")
            await stage.say("started", RUN, started_utc_ns=1)
            await stage.marker.play(BATCHES)
            await stage.finish(RUN, BATCHES)
            await stage.state(RUN, "analysing")
        stopped.set()
    assert lab.run(RUN).state is RunPhase.ANALYSING
    async with lab.daemon() as stage:
        assert (await stage.result(RUN))["quality"] == "valid"
        await stage.state(RUN, "done")


async def test_a_run_without_a_capture_is_interrupted(lab: Lab) -> None:
    await lab.leave_a_run(captured=False)
    lab.oscilloscope(":TRIGger:SWEep NORMal;:SINGle;*OPC?")
    assert int(lab.oscilloscope(":OPERegister:CONDition?")) & RUNNING
    async with lab.daemon() as stage:
        assert (await stage.state(RUN, "interrupted"))["reason"] == "daemon_stopped"
        # an edge of whatever runs now is none of that run's
        assert not int(lab.oscilloscope(":OPERegister:CONDition?")) & RUNNING
        await stage.run("next", BATCHES)


async def test_a_result_without_an_end_is_not_computed_twice(lab: Lab) -> None:
    await lab.leave_a_run(captured=True, finished=True)
    async with lab.daemon() as stage:
        await stage.state(RUN, "done")
        result = stage.daemon.store.results(RUN)[0]
    lab.change("UPDATE runs SET state = 'analysing', announced_utc_ns = NULL WHERE run_id = 'left'")
    async with lab.daemon() as stage:
        assert (await stage.result(RUN))["result_id"] == result.result_id
        await stage.state(RUN, "done")
        assert len(stage.daemon.store.results(RUN)) == 1


async def test_a_database_that_refuses_at_the_start_costs_no_captured_run(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lab.leave_a_run(captured=True, finished=True)
    refusals = [StoreError("database is locked (planted)")] * 2
    latest_result = Store.latest_result

    def refuse(store: Store, run_id: str) -> Any:
        if refusals:
            raise refusals.pop()
        return latest_result(store, run_id)

    monkeypatch.setattr("daemon.left_runs.RETRY_S", 0.05)
    monkeypatch.setattr(Store, "latest_result", refuse)
    async with lab.daemon() as stage:
        assert (await stage.result(RUN))["quality"] == "valid"
        await stage.state(RUN, "done")
    assert not refusals


async def test_a_damaged_capture_interrupts_its_run_and_nothing_else(lab: Lab, tmp_path: Path) -> None:
    await lab.leave_a_run(captured=True, entered=False, finished=True)
    path = tmp_path / "captures" / f"{RUN}-0.parquet"
    path.write_bytes(path.read_bytes()[:1000])
    async with lab.daemon() as stage:
        await stage.state(RUN, "interrupted")
        await stage.run("next", BATCHES)
    assert path.exists()


async def test_an_end_that_nobody_heard_is_told_by_the_next_daemon(lab: Lab) -> None:
    await lab.leave_a_run(captured=True, finished=True)
    async with lab.daemon() as stage:
        await stage.state(RUN, "done")
    assert lab.run(RUN).announced_utc_ns is not None
    lab.change("UPDATE runs SET announced_utc_ns = NULL WHERE run_id = 'left'")
    async with lab.daemon() as stage:
        assert (await stage.result(RUN))["quality"] == "valid"
        await stage.state(RUN, "done")
    assert lab.run(RUN).announced_utc_ns is not None


async def test_an_end_that_cannot_be_written_is_said_at_once_and_written_later(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lab.daemon() as stage:
        record = Store.record

        def full(store: Store, *arguments: Any, **named: Any) -> None:
            if named["event"] != "armed":
                raise StoreError("database or disk is full (planted)")
            record(store, *arguments, **named)

        with monkeypatch.context() as planted:
            planted.setattr(Store, "record", full)
            await stage.request(RUN)
            await stage.state(RUN, "armed")
            await stage.say("started", RUN, started_utc_ns=1)
            assert (await stage.state(RUN, "failed"))["reason"] == "store_refused"
        assert lab.run(RUN).state is RunPhase.ARMED
        await stage.run("next", BATCHES)
        await stage.state("next", "done")
        assert lab.run(RUN).state is RunPhase.FAILED
