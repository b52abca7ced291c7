"""A whole run is recorded on the simulated bench; the unmodified drivers take the same capture from the transcript."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, VoltageChannel
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.faults import FaultKind
from instruments.simulated.world import WorldSettings
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyReading
from instruments.transcripts.errors import TranscriptDeviation
from instruments.transcripts.recorded_connection import RecordingConnector
from instruments.transcripts.replay import Replay, ReplayingConnector
from instruments.transcripts.transcript_file import TranscriptFile
from metrology.capture import Capture

BOARD = 24


@pytest.fixture(scope="module")
def world() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(time_scale=20.0), board_number=BOARD) as world:
        yield world


def settings_of(world: SimulatedBenchThread, front: str) -> BenchSettings:
    return BenchSettings(
        oscilloscope_resource=getattr(world.addresses, front),
        power_supply_resource=world.addresses.power_supply,
        gpib_adapter_resource=world.addresses.gpib_adapter,
        envelope=SupplyEnvelope(max_voltage_v=30.0, max_current_a=2.2),
        current_offset_a=0.6,
        voltage=VoltageChannel(offset_v=15.0),
        timeout_s=2.0,
    )


async def measure(bench: Bench) -> tuple[Capture, list[SupplyReading]]:
    """Take one capture of an idle board, with the supply read before and after."""
    async with bench:
        before = await bench.read_supply()
        await bench.prepare()
        await bench.arm()
        await bench.force()
        await bench.wait_complete(deadline_s=10.0, poll_s=0.005)
        capture = await bench.read_capture()
        return capture, [before, await bench.read_supply()]


async def recorded(settings: BenchSettings, path: Path) -> tuple[Capture, list[SupplyReading]]:
    with TranscriptFile(path) as transcript:
        return await measure(Bench(settings, connector=RecordingConnector(transcript)))


async def replayed(settings: BenchSettings, path: Path) -> tuple[Capture, list[SupplyReading]]:
    replay = Replay.from_file(path)
    measured = await measure(Bench(settings, connector=ReplayingConnector(replay)))
    replay.check_finished()
    return measured


def assert_same(one: Capture, other: Capture) -> None:
    """Compare all but the moment of reading."""
    for mine, others in ((one.current, other.current), (one.voltage, other.voltage)):
        assert mine is not None
        assert others is not None
        np.testing.assert_array_equal(mine.counts, others.counts)
        assert mine.scale == others.scale
    np.testing.assert_array_equal(one.marker_pod_counts, other.marker_pod_counts)
    assert one.time_base == other.time_base
    assert one.settings == other.settings
    assert one.instruments == other.instruments


@pytest.mark.parametrize("front", ["oscilloscope", "oscilloscope_vxi11"])
async def test_a_replayed_run_is_the_recorded_one_bit_by_bit(world, tmp_path: Path, front: str) -> None:
    settings, path = settings_of(world, front), tmp_path / "run.jsonl"
    capture, readings = await recorded(settings, path)
    again, readings_again = await replayed(settings, path)
    assert capture.time_base.sample_count == 100_000
    assert_same(again, capture)
    assert readings_again == readings


async def test_another_setting_deviates_at_its_message(world, tmp_path: Path) -> None:
    settings, path = settings_of(world, "oscilloscope"), tmp_path / "run.jsonl"
    await recorded(settings, path)
    changed = replace(settings, record_s=1.0)
    with pytest.raises(
        TranscriptDeviation, match=r"expected write ':TIMebase:RANGe 2\\n'; got write ':TIMebase:RANGe 1"
    ):
        await replayed(changed, path)


async def test_one_changed_byte_of_a_transcript_is_another_capture(world, tmp_path: Path) -> None:
    """The comparison above sees a fault: it is no comparison of something with itself."""
    settings, path = settings_of(world, "oscilloscope"), tmp_path / "run.jsonl"
    capture, _ = await recorded(settings, path)
    lines = path.read_text().splitlines()
    blocks = [number for number, line in enumerate(lines) if json.loads(line).get("event") == "block"]
    longest = max(blocks, key=lambda number: len(lines[number]))  # a waveform's: the set-up is one too, and short
    document = json.loads(lines[longest])
    document["base64"] = ("B" if document["base64"][0] == "A" else "A") + document["base64"][1:]
    lines[longest] = json.dumps(document)
    path.write_text("\n".join(lines) + "\n")
    again, _ = await replayed(settings, path)
    with pytest.raises(AssertionError):
        assert_same(again, capture)


async def test_a_lost_answer_and_the_recovery_are_replayed(world, tmp_path: Path) -> None:
    settings, path = settings_of(world, "oscilloscope"), tmp_path / "run.jsonl"

    async def lose_one(bench: Bench) -> list[str]:
        async with bench:
            await bench.prepare()
            await bench.arm()
            await bench.force()
            await bench.wait_complete(deadline_s=10.0)
            world.faults.inject(FaultKind.DROP_CONNECTION_NEXT_BLOCK)
            with pytest.raises(Exception, match="WAVeform:DATA") as caught:
                await bench.read_capture()
            world.faults.inject(FaultKind.HEAL)
            capture = await bench.read_capture()
        return [str(caught.value), str(capture.current.counts.sum())]

    with TranscriptFile(path) as transcript:
        first = await lose_one(Bench(settings, connector=RecordingConnector(transcript)))
    replay = Replay.from_file(path)
    assert await lose_one(Bench(settings, connector=ReplayingConnector(replay))) == first
    replay.check_finished()
