"""A lab for whoever looks at the page: simulated bench, broker, daemon with HTTP, certificates, runs and a campaign."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from calibration.certificate import CaptureUse
from calibration.pictures import draw_fit
from calibration.procedures.delay import measure_delay
from calibration.procedures.gain import calibrate_gain
from calibration.procedures.lead import lead_settings, measure_lead
from calibration.procedures.zero import measure_zero
from calibration.store import CertificateStore
from calibration.workbench import Workbench
from daemon.bench_configuration import bench_settings
from instruments.bench import Bench
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.rehearsal import Rehearsal
from instruments.simulated.truth import TruthClient
from metrology.capture import Capture
from runners.campaign.cell import Cell, PlannedRun
from runners.campaign.journal import FORMAT, VERSION, Journal
from runners.campaign.local_campaigns import SUFFIX
from tests.integration.bench_stage import BOARD, Stage, configuration_of, stage_of

LEVELS = 4
"""Currents of a calibration's ladder: fewer than by hand, so that it takes seconds."""
SETTLE_WORLD_S = 0.2
BATCHES = [(0.15, 0.005)] * 8
RUNS: Mapping[str, tuple[str, float, int]] = {
    "alexnet-b4-1": ("alexnet", 0.15, 8),
    "resnet18-b4-1": ("resnet18", 0.094, 14),
    "googlenet-b4-1": ("googlenet", 0.041, 26),
    "resnet18-b4-2": ("resnet18", 0.0925, 14),
}
"""Runs by name: network, seconds of a batch, batches."""


def free_port() -> int:
    """Return a TCP port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def page_lab(
    bench: SimulatedBenchThread, broker_port: int, folder: Path, /, *, port: int | None = None, **changes: Any
) -> AsyncIterator[tuple[Stage, str]]:
    """Yield a lab and its page's address."""
    port = port or free_port()
    http = {"port": port, "campaigns": folder, **changes.pop("http", {})}
    async with stage_of(bench, broker_port, folder, http=http, **changes) as stage:
        yield stage, f"http://127.0.0.1:{port}/"


async def calibrate(bench: SimulatedBenchThread, folder: Path, /, **changes: Any) -> None:
    """Calibrate a bench that no daemon holds, by the real procedures, with pictures of the fits."""
    configuration = configuration_of(bench.addresses, 1, folder, **changes)
    store = CertificateStore(configuration.calibration.directory)
    settings = bench_settings(configuration)
    settle_s = SETTLE_WORLD_S / bench.bench.clock.time_scale
    with TruthClient(bench.addresses.truth) as truth:

        async def made(procedure: Callable[[Workbench], Awaitable[Any]], used: Any = settings) -> None:
            async with Bench(used) as found:
                fitted = await procedure(Workbench(found, Rehearsal(truth), keep=_forget, settle_s=settle_s))
            path = store.add(getattr(fitted, "certificate", fitted))
            if hasattr(fitted, "certificate"):
                draw_fit(fitted, path.with_suffix(".png"))

        await made(lambda at: measure_lead(at, levels=LEVELS), lead_settings(settings))
        await made(lambda at: calibrate_gain(at, levels=LEVELS))
        await made(lambda at: measure_delay(at, board=BOARD, captures=2))
        await made(measure_zero)


def _forget(capture_id: str, capture: Capture, facts: Mapping[str, Any]) -> CaptureUse:
    del capture, facts
    return CaptureUse(capture_id=capture_id, sha256="0" * 64)


async def perform(stage: Stage, run_id: str) -> dict[str, Any]:
    """Perform one of `RUNS` and return its result."""
    network, batch_s, count = RUNS[run_id]
    return await stage.run(run_id, [(batch_s, 0.004)] * count, network=network)


def begin_campaign(folder: Path) -> None:
    """Write the journal of a campaign of five runs, one of which is done, one failed, and one goes on."""
    cells = [Cell(network="alexnet", batch_size=size, precision="fp32") for size in (1, 2, 4, 8, 16)]
    order = [PlannedRun(index=index, cell=cell, repeat=0).document() for index, cell in enumerate(cells)]
    with Journal(folder / f"night{SUFFIX}") as journal:
        journal.append("begun", format=FORMAT, version=VERSION, campaign_id="n", place={}, settings={}, order=order)
        journal.append("commanded", index=0, attempt=1, run_id="n0")
        done = {"verdict": "done", "state": "done", "quality": "valid", "reasons": []}
        journal.append("ended", index=0, run_id="n0", duration_s=30.0, **done)
        journal.append("commanded", index=1, attempt=1, run_id="n1")
