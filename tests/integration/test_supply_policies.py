"""What the daemon does where the supply endangers the board, or is out of its hands: each policy with its fault."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from daemon.bench_keeper import BenchKeeper
from daemon.exit_mark import ExitMark
from daemon.supply_alarm import AlarmFile
from instruments.audit_reader import read_audit
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import Stage, configuration_of, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
LIMIT_S = 20.0
WATCHED = {"watch_interval_s": 0.05}
PULSES = [(0.2, 0.01)] * 5


@pytest.fixture
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0)) as running:
        yield running


@pytest.fixture
def staged(bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Any:
    @asynccontextmanager
    async def stage(safety: dict[str, Any], **changes: Any) -> AsyncIterator[Stage]:
        async with stage_of(bench, mosquitto_broker.port, tmp_path, safety=safety, **changes) as served:
            yield served

    return stage


def output_on(stage: Stage) -> bool:
    return stage.bench.bench.world.supply.settings.output_on


def lines(stage: Stage, action: str) -> list[dict[str, Any]]:
    directory = stage.configuration.storage.audit_directory
    return [line for line in read_audit(directory).lines if line["action"] == action]


async def come_true(fact: Any) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not fact():  # noqa: ASYNC110 - files and another thread offer no event to wait for
            await asyncio.sleep(0.01)


async def reason_of(stage: Stage, run_id: str) -> str:
    """Ask for a run that is refused, and return why."""
    await stage.request(run_id)
    return str((await stage.state(run_id, "rejected"))["reason"])


def turn(stage: Stage, **settings: Any) -> None:
    """Turn a knob at the supply's front panel, which heeds no envelope."""

    async def change() -> None:
        stage.bench.bench.world.change_supply(**settings)

    assert stage.bench._loop is not None
    asyncio.run_coroutine_threadsafe(change(), stage.bench._loop).result(LIMIT_S)


def raise_voltage(stage: Stage) -> None:
    turn(stage, voltage_v=25.0)


def raise_limit(stage: Stage) -> None:
    """Let 1.9 A flow, where the configuration has a limit of 1.5 A."""
    turn(stage, current_a=2.2)
    stage.truth.wire(load={"resistor_ohm": 10.0})


def limit_current(stage: Stage) -> None:
    stage.truth.fault("cc_excursion", seconds=0.2)


def trip(stage: Stage) -> None:
    stage.truth.fault("trip_supply")


def lose_oscilloscope(stage: Stage) -> None:
    stage.truth.fault("wrong_identity", "oscilloscope")


STRIKES = {
    "over_voltage": raise_voltage,
    "over_current": raise_limit,
    "cc_excursion": limit_current,
    "lost_instrument": lose_oscilloscope,
}
SUPPLY = {"power_supply": {"voltage_v": 19.0, "current_limit_a": 1.5}}
each_kind = pytest.mark.parametrize("kind", STRIKES)


def policy(kind: str, reaction: str) -> dict[str, Any]:
    """Return a section in which one policy says this, and the others but report."""
    reports = dict.fromkeys(STRIKES, "report")
    return {**reports, kind: reaction, "lost_after_s": 0.1, "watch_interval_s": 0.05}


async def first_round(stage: Stage) -> None:
    """Wait until the daemon has seen what is older than itself."""
    await come_true(lambda: stage.daemon.patrol.rounds > 0)


@each_kind
async def test_what_is_to_be_reported_between_runs_is_reported(staged: Any, kind: str) -> None:
    async with staged(policy(kind, "report"), **SUPPLY) as stage:
        await first_round(stage)
        STRIKES[kind](stage)
        await come_true(lambda: lines(stage, kind))
        assert lines(stage, kind)[0]["reaction"] == "report"
        assert output_on(stage)
        assert AlarmFile(stage.configuration).standing() == ()


@each_kind
async def test_no_run_is_taken_until_it_is_acknowledged(staged: Any, kind: str) -> None:
    async with staged(policy(kind, "refuse"), **SUPPLY) as stage:
        await first_round(stage)
        STRIKES[kind](stage)
        alarms = AlarmFile(stage.configuration)
        await come_true(alarms.standing)
        assert output_on(stage)
        assert await reason_of(stage, "refused") == "supply_alarm"
        heal(stage)
        await come_true(lambda: stage.daemon.bench._sound)
        await acknowledge(stage)
        result = await stage.run("measured", PULSES)
        assert result["quality"] == "valid"


def heal(stage: Stage) -> None:
    stage.truth.fault("heal")
    stage.truth.wire(load="board")
    turn(stage, voltage_v=19.0, current_a=1.5)


async def acknowledge(stage: Stage) -> None:
    """Acknowledge as a person does, who looks again: what lasts for a round is raised again."""
    alarms = AlarmFile(stage.configuration)
    async with asyncio.timeout(LIMIT_S):
        while alarms.standing():
            alarms.acknowledge(alarms.standing())
            rounds = stage.daemon.patrol.rounds
            await come_true(lambda before=rounds: stage.daemon.patrol.rounds > before + 1)


@each_kind
async def test_the_output_is_switched_off_within_a_round(staged: Any, kind: str) -> None:
    async with staged(policy(kind, "output_off"), **SUPPLY) as stage:
        await first_round(stage)
        before = stage.daemon.patrol.rounds
        STRIKES[kind](stage)
        await come_true(lambda: not output_on(stage))
        if kind != "lost_instrument":
            # The round into which the strike came, and the one after it.
            assert stage.daemon.patrol.rounds - before <= 2
        await come_true(lambda: lines(stage, kind))
        off = [line for line in lines(stage, "output_off") if line["stage"] == "done"]
        assert off[0]["by"].items() >= {"reason": f"policy {kind}", "program": "joulebench daemon"}.items()
        assert await reason_of(stage, "refused") == "supply_alarm"


async def test_a_trip_leaves_the_output_off_even_when_it_is_cleared(staged: Any) -> None:
    async with staged(policy("over_voltage", "output_off"), **SUPPLY) as stage:
        await first_round(stage)
        trip(stage)
        await come_true(lambda: not output_on(stage))
        stage.truth.wire(front_panel="clear_trip")
        assert not output_on(stage)


async def test_a_trip_that_the_next_run_clears_is_only_reported(staged: Any) -> None:
    supply = {"power_supply": SUPPLY["power_supply"] | {"after_trip": "clear"}}
    async with staged(policy("over_voltage", "output_off"), **supply) as stage:
        await first_round(stage)
        trip(stage)
        await come_true(lambda: lines(stage, "over_voltage"))
        assert lines(stage, "over_voltage")[0]["reaction"] == "report"
        assert (await stage.run("measured", PULSES))["quality"] == "valid"
        assert [line["by"]["run_id"] for line in lines(stage, "clear_trip")] == ["measured", "measured"]


@pytest.mark.parametrize("kind", ["over_voltage", "over_current"])
async def test_in_a_run_the_output_is_switched_off_and_the_run_fails(staged: Any, kind: str) -> None:
    safety = policy(kind, "output_off") | {"watch_interval_s": 0}
    async with staged(safety, **SUPPLY) as stage:
        await stage.request("struck")
        await stage.state("struck", "armed")
        await stage.say("started", "struck", started_utc_ns=1)
        STRIKES[kind](stage)
        state = await stage.state("struck", "failed")
        assert state["reason"] == "supply_alarm"
        assert not output_on(stage)
        (alarm,) = AlarmFile(stage.configuration).standing()
        assert (alarm.kind, alarm.run_id) == (kind, "struck")


async def test_without_an_interval_nothing_is_asked_between_runs(staged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[object] = []

    async def patrol(*_: object) -> None:
        rounds.append(1)

    monkeypatch.setattr(BenchKeeper, "patrol", patrol)
    async with staged({"watch_interval_s": 0.0}) as stage:
        assert (await stage.run("measured", PULSES))["quality"] == "valid"
        assert stage.daemon.patrol.rounds == 0
    assert rounds == []


async def test_no_round_is_made_while_a_run_is_in_hand(staged: Any) -> None:
    async with staged(policy("over_voltage", "report"), **SUPPLY) as stage:
        await first_round(stage)
        looked: list[str | None] = []
        look = stage.daemon.bench._look

        async def remember() -> None:
            looked.append(stage.daemon.conductor.current_run)
            await look()

        stage.daemon.bench._look = remember  # type: ignore[method-assign]
        await stage.request("measured")
        await stage.state("measured", "armed")
        rounds = stage.daemon.patrol.rounds
        await come_true(lambda: stage.daemon.patrol.rounds > rounds + 3)
        await stage.say("abort", "measured", reason="workload_failed", text="enough")
        await stage.state("measured", "failed")
        await come_true(lambda: len(looked) > 1)
        assert set(looked) == {None}


# A dry run


async def test_in_a_dry_run_everything_is_checked_and_nothing_is_changed(staged: Any) -> None:
    supply = {"power_supply": {"voltage_v": 18.0, "ovp_v": 25.0, "output_on_exit": "off"}}
    async with staged(policy("over_voltage", "output_off") | {"dry_run": True}, **supply) as stage:
        before = stage.bench.bench.world.supply.settings
        assert before.voltage_v == 19.0
        await stage.request("dry")
        state = await stage.state("dry", "rejected")
        assert state["reason"] == "dry_run"
        await first_round(stage)
        trip(stage)
        await come_true(lambda: lines(stage, "over_voltage"))
        assert "were this no dry run" in lines(stage, "over_voltage")[0]["outcome"]
        assert output_on(stage)
        everything = read_audit(stage.configuration.storage.audit_directory).lines
    assert {line["stage"] for line in everything} <= {"would", "event"}
    assert [line["action"] for line in everything][:1] == ["set_protected_point"]
    assert output_on(stage), "output_on_exit = off is not carried out either"
    assert stage.bench.bench.world.supply.settings.voltage_v == before.voltage_v


# After a crash

DAEMON = """
import asyncio, json, sys
from pathlib import Path
from daemon.cli.daemon import serve
from daemon.configuration import OwnConfiguration
told = json.loads(sys.argv[1])
asyncio.run(serve(OwnConfiguration(**told)))
"""


async def killed_daemon(configuration: Any) -> None:
    """Start a daemon in a process of its own, and kill it once it serves."""
    arguments = ("-c", DAEMON, configuration.model_dump_json())
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(60):
        said = []
        while "is served" not in (line := (await process.stderr.readline()).decode()):
            assert line, f"it ended: {''.join(said)}"
            said.append(line)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    await process.stderr.read()


async def test_after_a_crash_the_output_is_switched_off_where_the_configuration_says_so(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    await killed_daemon(configuration_of(bench.addresses, mosquitto_broker.port, tmp_path))
    assert bench.bench.world.supply.settings.output_on
    off = {"after_crash": "off"}
    async with stage_of(bench, mosquitto_broker.port, tmp_path, safety=off) as stage:
        assert not output_on(stage)
        (event,) = lines(stage, "unclean_exit")
        assert event["reaction"] == "off"
        switched = [(line["stage"], line["by"]["reason"]) for line in lines(stage, "output_off")]
        assert switched == [("intended", "after_crash"), ("done", "after_crash")]
        turn(stage, output_on=True)
    async with stage_of(bench, mosquitto_broker.port, tmp_path, safety=off) as stage:
        assert len(lines(stage, "unclean_exit")) == 1, "this time the daemon before has left in order"
        assert output_on(stage)


async def test_after_a_crash_the_output_is_left_where_nothing_is_said(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    ExitMark(configuration_of(bench.addresses, mosquitto_broker.port, tmp_path)).begin()
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
        assert output_on(stage)
        assert [line["reaction"] for line in lines(stage, "unclean_exit")] == ["leave"]
        assert lines(stage, "output_off") == []


async def test_a_supply_that_is_away_after_a_crash_is_switched_off_when_it_is_back(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    mark = ExitMark(configuration_of(bench.addresses, mosquitto_broker.port, tmp_path))
    mark.begin()
    with TruthClient(bench.addresses.truth) as truth:
        truth.fault("wrong_identity", "power_supply")
        safety = {"after_crash": "off"}
        async with stage_of(bench, mosquitto_broker.port, tmp_path, safety=safety) as stage:
            assert output_on(stage)
        assert mark.path.exists(), "what is owed is left to the next daemon"
        safety["watch_interval_s"] = 0.05  # type: ignore[assignment]
        async with stage_of(bench, mosquitto_broker.port, tmp_path, safety=safety) as stage:
            await first_round(stage)
            assert output_on(stage)
            truth.fault("heal")
            await come_true(lambda: not stage.daemon.patrol._guard.is_in_debt)
            assert not output_on(stage)
        assert not mark.path.exists()
