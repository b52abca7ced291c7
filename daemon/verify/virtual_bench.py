"""Virtual bench: one simulated bench with errors of its own, calibrated by the procedures and then measured once."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from calibration.certificate import CaptureUse
from calibration.procedures.delay import measure_delay
from calibration.procedures.gain import calibrate_gain
from calibration.procedures.lead import lead_settings, measure_lead
from calibration.procedures.zero import measure_zero
from calibration.store import CertificateStore
from calibration.workbench import Workbench
from daemon.bench_configuration import bench_settings
from daemon.bench_keeper import BenchKeeper, Record
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration, OwnConfiguration
from daemon.errors import VerificationFailed
from daemon.measurement import Measurement
from daemon.store import Store
from daemon.verify.score import Score
from daemon.verify.virtual_board import VirtualBoard
from instruments.bench import Bench
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.inputs import Wiring
from instruments.simulated.probe_physics import DRIFT_LIMIT_A
from instruments.simulated.rehearsal import Rehearsal
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from metrology.capture import Capture
from metrology.ladder import Rung
from metrology.supply import SupplyConditions
from metrology.supply_pairs import saw_load
from runners.messages import RunResult

TIME_SCALE = 20.0
"""World seconds per real one: as fast as two cores render records, and slow enough for several supply readings in
each. A busy computer may need a slower world."""
SETTLE_WORLD_S = 0.2
"""Time between two readings of a settling output, in seconds of the simulated world."""
LEVELS = 4
"""Currents of the calibrations' ladders: fewer than by hand, so that many benches take minutes."""
DELAY_CAPTURES = 2
"""Records of the marker's delay: some hundred edges, fewer than by hand for the same reason."""
BATCH_S, GAP_S, BATCHES = 0.15, 0.005, 11
"""The run: batches as the board's marker shows them; they fit into what a record holds after its trigger."""
BATCH_SIZE = 4
BOARD, RUN = "virtual", "run"
MARKER_BIT, LOOSE_BIT = 0, 7
"""Digital line of the marker, and one that nobody looks at."""
CAPTURE_TIMEOUT_S = 20.0


def score_bench(
    seed: int,
    rung: Rung = Rung.MARKER,
    *,
    planted: Mapping[str, Any] | None = None,
    time_scale: float = TIME_SCALE,
) -> Score:
    """Make a bench from a seed, calibrate it, let its zero drift, measure one run, and compare with the truth.

    Args:
        seed: seed of every error of the bench.
        rung: how windows are found.
        planted: what else is changed between calibration and run, as `instruments.simulated.rewiring` takes it.
        time_scale: seconds of the bench's world for each of this computer's.

    Raises:
        JoulebenchError: it could not be calibrated or measured.
    """
    return asyncio.run(_score(seed, rung, planted or {}, time_scale))


async def _score(seed: int, rung: Rung, planted: Mapping[str, Any], time_scale: float) -> Score:
    wiring = Wiring(marker_bit=MARKER_BIT if rung is Rung.MARKER else LOOSE_BIT)
    settings = WorldSettings(seed=seed, time_scale=time_scale, errors=InstrumentErrors.DATASHEET, wiring=wiring)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="joulebench-verify-")))
        simulated = stack.enter_context(SimulatedBenchThread(settings))
        truth = stack.enter_context(TruthClient(simulated.addresses.truth))
        configuration = configuration_of(simulated.addresses, folder)
        await _calibrate(configuration, truth, rung=rung, settle_s=SETTLE_WORLD_S / time_scale)
        drift_a = float(np.random.default_rng([seed, 0xD1F]).uniform(-DRIFT_LIMIT_A, DRIFT_LIMIT_A))
        truth.wire(**{"zero_shift_a": drift_a, **planted})
        clock = simulated.bench.clock
        bench = Bench(bench_settings(configuration), monotonic_ns=lambda: round(clock.now_s() * 1e9))
        result, supply = await _measure(bench, configuration, truth, board=VirtualBoard(seed), rung=rung)
        score = _compared(seed, result, true_j=_true_j(truth))
        return replace(score, supply_was_read=saw_load(supply))


def configuration_of(addresses: BenchAddresses, folder: Path) -> Configuration:
    """Return the configuration of a virtual bench, as a lab's file would give it."""
    sections: dict[str, Any] = {
        "bench": {"name": "virtual"},
        "oscilloscope": {
            "resource": addresses.oscilloscope,
            "current_scale_a_per_div": 0.2,
            "current_offset_a": 0.6,
        },
        "power_supply": {
            "resource": addresses.power_supply,
            "gpib_adapter": addresses.gpib_adapter,
            "max_voltage_v": 20.0,
            "max_current_a": 2.2,
        },
        "storage": {"directory": folder, "min_free_bytes": 0},
        "calibration": {"directory": folder / "certificates", "missing": "degrade"},
    }
    return OwnConfiguration(**sections)


async def _calibrate(configuration: Configuration, truth: TruthClient, *, rung: Rung, settle_s: float) -> None:
    """Run the procedures, unattended; the marker's delay where there is a marker to be late."""
    store = CertificateStore(configuration.calibration.directory)
    settings = bench_settings(configuration)

    def workbench(bench: Bench) -> Workbench:
        return Workbench(bench, Rehearsal(truth), keep=_forget, settle_s=settle_s)

    async with Bench(lead_settings(settings)) as bench:
        store.add((await measure_lead(workbench(bench), levels=LEVELS)).certificate)
    async with Bench(settings) as bench:
        store.add((await calibrate_gain(workbench(bench), levels=LEVELS)).certificate)
        if rung is Rung.MARKER:
            store.add((await measure_delay(workbench(bench), board=BOARD, captures=DELAY_CAPTURES)).certificate)
        store.add(await measure_zero(workbench(bench)))


def _forget(capture_id: str, capture: Capture, facts: Mapping[str, Any]) -> CaptureUse:
    """Keep nothing of a calibration's records: the bench is gone in a moment."""
    del capture, facts
    return CaptureUse(capture_id=capture_id, sha256="0" * 64)


async def _measure(
    bench: Bench, configuration: Configuration, truth: TruthClient, *, board: VirtualBoard, rung: Rung
) -> tuple[RunResult, SupplyConditions]:
    """Measure one run as the daemon does, from the bench's keeper to the stored result; beside it the supply's word."""
    keeper = BenchKeeper(bench, set_points={}, on_instruments=lambda _: None)
    with Store(configuration.storage.url) as store:
        files = CaptureFiles(configuration.storage.captures_directory)
        measurement = Measurement(configuration, store, files, version=version("joulebench"))
        store.create_run(
            run_id=RUN, board=BOARD, network="alexnet", batch_size=BATCH_SIZE, precision="fp32",
            images_planned=None, captures=1, sync=(rung.value,),
        )  # fmt: skip
        try:
            await keeper.arm(first=True)
            end_s = await begin_run(keeper, truth, rung)
            record = await _captured(keeper)
            measurement.keep(RUN, 0, record)
        finally:
            await keeper.close()
        if not truth.acquisitions()[-1]["pulses"]:
            raise VerificationFailed("no batch lies in the record: the computer was too busy to force it in time")
        store.record_finished(RUN, board.finished(batches_until(end_s), batch_size=BATCH_SIZE, rung=rung))
        return measurement.result(RUN), record.supply


async def begin_run(keeper: BenchKeeper, truth: TruthClient, rung: Rung) -> float:
    """Let the batches begin, in a record that begins before them; return the world time at which they are over.

    The lab forces a record once the board has begun, within its time before the trigger. In a world that runs faster
    than this computer's clock that time is a few milliseconds: here the record is forced first, so that a busy
    computer costs the record some batches at its end, never its idle baseline.
    """
    if rung is Rung.CLOCK:
        await keeper.force()
    return truth.play([(BATCH_S, GAP_S)] * BATCHES)


def batches_until(end_s: float) -> list[tuple[float, float]]:
    """Return the run's batches whose last gap is over at a world time, as (rise, fall), in seconds.

    All of them: a board knows nothing of the record, which begins late where the computer is busy. A report of those
    inside it alone would make the lab take the current of the others for idle.
    """
    first_s = end_s - BATCHES * (BATCH_S + GAP_S)
    rises_s = [first_s + k * (BATCH_S + GAP_S) for k in range(BATCHES)]
    return [(rise_s, rise_s + BATCH_S) for rise_s in rises_s]


async def _captured(keeper: BenchKeeper) -> Record:
    loop = asyncio.get_running_loop()
    end_s = loop.time() + CAPTURE_TIMEOUT_S

    def late() -> str | None:
        return "no complete record in time" if loop.time() > end_s else None

    found = await keeper.capture(running=lambda: True, give_up=late)
    if not isinstance(found, Record):
        raise VerificationFailed(found)
    return found


def _true_j(truth: TruthClient) -> float:
    """Return the world's gross energy per image of the last record."""
    last = truth.acquisitions()[-1]
    return float(last["gross_energy_j"] / (BATCH_SIZE * len(last["pulses"])))


def _compared(seed: int, result: RunResult, *, true_j: float) -> Score:
    gross = result.gross_energy_per_image_j
    return Score(
        seed=seed,
        sync=result.sync,
        quality=result.quality,
        reasons=tuple(reason.code for reason in result.reasons),
        true_j=true_j,
        measured_j=None if gross is None else gross.value,
        u95_j=None if gross is None else gross.expanded_uncertainty_95,
    )
