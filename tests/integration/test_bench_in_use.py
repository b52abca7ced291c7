"""One program at a time holds a bench: a calibration, or a second daemon, is refused while a daemon serves it."""

import asyncio
from pathlib import Path

import pytest

from calibration.procedures.zero import measure_zero
from calibration.workbench import Particulars
from daemon.bench_configuration import bench_settings
from daemon.bootstrap import application
from daemon.calibration_desk import CalibrationDesk
from daemon.errors import BenchInUse
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.rehearsal import Rehearsal
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto


async def calibrate(stage: Stage) -> None:
    desk = CalibrationDesk(stage.configuration, settings=bench_settings(stage.configuration))
    await desk.run(
        measure_zero,
        operator=Rehearsal(stage.truth),
        particulars=Particulars(),
        progress=lambda _text, _done, _total: None,
    )


async def test_while_a_daemon_serves_a_bench_nobody_else_takes_it(
    mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    with SimulatedBenchThread(WorldSettings(seed=2, time_scale=20.0)) as bench:
        async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
            with pytest.raises(BenchInUse, match=r"in use by joulebench daemon, process \d+ .* stop that program"):
                await calibrate(stage)
            with pytest.raises(BenchInUse, match="in use by joulebench daemon"):
                await application(stage.configuration).run(stop=asyncio.Event())
            result = await stage.run("after", [(0.15, 0.005)] * 11)
            assert result["quality"] == "valid", "the bench was left alone"
