"""Audit log and dry run, as the simulated supply sees them come over its adapter."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from instruments.acting import acting
from instruments.audit_reader import read_audit
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, OutputOnExit
from instruments.errors import AuditFailed, SettingRefused, SoftStartAborted
from instruments.power_supply import PowerSupply
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.supply_physics import SupplySettings
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.transcripts.line import Event
from instruments.transcripts.recorded_connection import RecordingConnector
from instruments.transcripts.transcript_file import TranscriptFile, read_transcript
from tests.contract.calibrated_bench import settings_of
from tests.contract.driver_stage import is_question
from tests.unit.instruments.test_audit_log import full_disk

BOARD = 18
LEFT_OFF = SupplySettings(voltage_v=12.0, current_a=0.5, output_on=False)


@dataclass
class Audited:
    """A simulated bench whose supply keeps a list of how often it was changed, with a log and a transcript."""

    world: SimulatedBenchThread
    settings: BenchSettings
    truth: TruthClient
    folder: Path
    changes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def supply(self) -> SupplySettings:
        return self.world.bench.world.supply.settings

    @property
    def lines(self) -> list[dict[str, Any]]:
        return list(read_audit(self.folder / "audit").lines)

    def ended(self) -> list[str]:
        """Actions as they ended, in order; each must have been intended first."""
        open_changes, ended = set(), []
        for line in self.lines:
            if line["stage"] == "intended":
                open_changes.add(line["change"])
            else:
                open_changes.remove(line["change"])
                ended.append(f"{line['action']} {line['stage']}")
        assert open_changes == set()
        return ended


@pytest.fixture
def audited(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Audited]:
    settings = WorldSettings(time_scale=10.0, supply=getattr(request, "param", LEFT_OFF))
    with SimulatedBenchThread(settings, board_number=BOARD) as world, TruthClient(world.addresses.truth) as truth:
        told = settings_of(world.addresses, audit_directory=tmp_path / "audit", name="north")
        served = Audited(world, told, truth, tmp_path)
        physics = world.bench.world.supply
        change = physics.change

        def remember(**changes: Any) -> None:
            change(**changes)
            served.changes.append(changes)

        monkeypatch.setattr(physics, "change", remember)
        yield served


async def test_everything_that_the_bench_can_do_to_its_supply_is_written(audited: Audited) -> None:
    settings = replace(audited.settings, output_on_exit=OutputOnExit.OFF)
    async with Bench(settings) as bench:
        with acting(program="a test", run_id="r1"):
            await bench.set_supply(voltage_v=13.0, current_a=0.6, ovp_v=20.0)
            await bench.set_supply_output(True)
        audited.truth.fault("trip_supply")
        await bench.clear_supply_trip()
    assert audited.ended() == [
        "set_protected_point done",
        "output_on done",
        "output_off done",
        "clear_trip done",
        "output_on done",
        "output_off done",
    ]
    first, on = audited.lines[1], audited.lines[3]
    assert first["before"] == {
        "output_on": False, "voltage_v": 12.0, "current_a": 0.5, "ovp_tripped": False,
        "range": "P35V", "ovp_v": 66.0, "ovp_on": True,
    }  # fmt: skip
    assert first["after"] == first["before"] | {"voltage_v": 13.0, "current_a": 0.6, "ovp_v": 20.0}
    assert (on["before"]["output_on"], on["after"]["output_on"]) == (False, True)
    assert on["by"].items() >= {"program": "a test", "run_id": "r1"}.items()
    assert "run_id" not in audited.lines[-1]["by"], "the bench was closed on nobody's behalf"


async def test_a_soft_start_that_is_given_up_is_written_step_by_step(audited: Audited) -> None:
    audited.truth.wire(load={"resistor_ohm": 11.0})  # draws the limit of 0.5 A at 5.5 V
    async with Bench(replace(audited.settings, soft_start_s=0.2)) as bench:
        with pytest.raises(SoftStartAborted):
            await bench.set_supply_output(True)
    ended = audited.ended()
    assert ended[:3] == ["set_point done", "set_point done", "output_on done"]
    assert ended[-2:] == ["output_off done", "set_point done"]
    voltages = [line["after"]["voltage_v"] for line in audited.lines if line["stage"] == "done"]
    assert voltages[0] == 12.0
    assert max(voltages[1:-1]) == pytest.approx(6.0)
    assert voltages[-1] == 12.0


async def test_a_change_that_the_supply_does_not_answer_is_written_as_failed(audited: Audited) -> None:
    async with Bench(replace(audited.settings, timeout_s=0.5)) as bench:
        await bench.supply.set_points()
        audited.truth.fault("swallow_next_answer", "power_supply")
        with pytest.raises(Exception, match="no answer"):
            await bench.supply.set_output(False, settle=False)
    assert audited.ended() == ["output_off failed"]
    assert "no answer" in audited.lines[-1]["error"]


@pytest.mark.parametrize("audited", [replace(LEFT_OFF, output_on=True)], indirect=True)
async def test_on_a_full_disk_the_output_can_be_switched_off_and_not_on(audited: Audited) -> None:
    async with Bench(audited.settings) as bench:
        log = bench.supply.audit
        assert log is not None
        path = full_disk(log, log._utc_ns())
        await bench.set_supply_output(False)
        assert not audited.supply.output_on
        for change in (bench.set_supply_output(True), bench.set_supply(voltage_v=13.0), bench.clear_supply_trip()):
            with pytest.raises(AuditFailed, match="make room"):
                await change
        assert not audited.supply.output_on
        assert audited.supply.voltage_v == 12.0
        path.unlink()
        await bench.set_supply_output(True)
    assert audited.supply.output_on
    # Twice: clearing a trip begins with it.
    assert audited.ended() == ["output_off done", "output_off done", "output_on done"]


async def everything(bench: Bench) -> None:
    """Use every verb that would change the supply."""
    await bench.set_supply(voltage_v=13.0)
    await bench.set_supply(current_a=0.6, ovp_v=20.0)
    await bench.set_supply_output(True)
    await bench.clear_supply_trip()
    await bench.set_supply_output(False)
    await bench.supply.attendant.recover()


@pytest.mark.parametrize("audited", [replace(LEFT_OFF, output_on=True)], indirect=True)
async def test_in_a_dry_run_the_supply_hears_questions_only(audited: Audited) -> None:
    transcript = audited.folder / "transcript.jsonl"
    settings = replace(audited.settings, dry_run=True, soft_start_s=0.2, output_on_exit=OutputOnExit.OFF)
    before = audited.supply
    with TranscriptFile(transcript) as file:
        async with Bench(settings, connector=RecordingConnector(file)) as bench:
            await bench.prepare()
            assert (await bench.read_supply()).output_on
            await everything(bench)
            await bench.arm()
    assert audited.changes == []
    assert audited.supply == before
    assert audited.supply.output_on
    sent = {
        role: [line.data.decode().strip() for line in read_transcript(transcript) if line.role == role
               and line.event is Event.WRITE]
        for role in ("power_supply", "oscilloscope")
    }  # fmt: skip
    assert sent["power_supply"]
    assert [message for message in sent["power_supply"] if not is_question(message)] == []
    assert not all(is_question(message) for message in sent["oscilloscope"]), "the oscilloscope is programmed as ever"
    would = [line["action"] for line in audited.lines]
    assert would == [
        "set_point", "set_protected_point", "output_on", "output_off", "clear_trip", "output_on", "output_off",
        "output_off",
    ]  # fmt: skip
    assert {line["stage"] for line in audited.lines} == {"would"}


async def test_not_even_a_driver_that_forgets_itself_gets_a_command_through_a_dry_run(
    audited: Audited, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = PowerSupply.settle

    def forgetful(driver: PowerSupply) -> None:
        driver.session.write("OUTPut 1")
        settle(driver)

    monkeypatch.setattr(PowerSupply, "settle", forgetful)
    async with Bench(replace(audited.settings, dry_run=True)) as bench:
        with pytest.raises(SettingRefused, match="a dry run sends no command to the supply"):
            await bench.supply._settle()
    assert audited.changes == []


KILLED = """
import asyncio, os, signal, sys, json
from pathlib import Path
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from instruments.supply_envelope import SupplyEnvelope
from instruments.power_supply import PowerSupply
told = json.loads(sys.argv[1])
told["envelope"] = SupplyEnvelope(**told["envelope"])
told["audit_directory"] = Path(told["audit_directory"])
PowerSupply.set_output = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
async def main():
    async with Bench(BenchSettings(**told)) as bench:
        await bench.set_supply_output(True)
asyncio.run(main())
"""


async def test_a_program_that_is_killed_in_a_change_leaves_what_it_intended(audited: Audited) -> None:
    import sys

    told = {
        "oscilloscope_resource": audited.settings.oscilloscope_resource,
        "power_supply_resource": audited.settings.power_supply_resource,
        "gpib_adapter_resource": audited.settings.gpib_adapter_resource,
        "envelope": {"max_voltage_v": 20.0, "max_current_a": 2.2},
        "audit_directory": str(audited.folder / "audit"),
    }
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, json.dumps(told))
    assert await asyncio.wait_for(killed.wait(), 60) == -9
    (line,) = audited.lines
    assert (line["stage"], line["action"]) == ("intended", "output_on")
    assert line["before"]["output_on"] is False
