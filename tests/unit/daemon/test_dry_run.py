"""A dry run, as the command line and the procedures take it."""

from pathlib import Path
from typing import Any

import pytest

import daemon.cli.daemon
from calibration.workbench import Particulars
from daemon.bench_configuration import bench_settings
from daemon.calibration_desk import CalibrationDesk
from daemon.configuration import Configuration, load_configuration
from daemon.errors import DryRunRefusal
from tests.in_process import run_command
from tests.unit.daemon.cli.test_supply import CONFIGURATION


@pytest.mark.parametrize("words", [[], ["--dry-run"]])
def test_the_daemon_is_told_on_the_command_line(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[Configuration] = []

    async def serve(configuration: Configuration, **_: Any) -> None:
        served.append(configuration)

    monkeypatch.setattr(daemon.cli.daemon, "serve", serve)
    config = tmp_path / "bench.toml"
    config.write_text(CONFIGURATION)
    ended = run_command(["daemon", "--config", str(config), *words], monkeypatch=monkeypatch, capsys=capsys)
    assert ended.returncode == 0
    assert [bench_settings(one).dry_run for one in served] == [bool(words)]


async def test_a_calibration_does_not_begin_in_a_dry_run(tmp_path: Path) -> None:
    """It tells people that the output is off, which it would not be."""
    config = tmp_path / "bench.toml"
    config.write_text(CONFIGURATION + "[safety]\ndry_run = true\n")
    configuration = load_configuration(config)
    begun: list[object] = []

    async def procedure(workbench: object) -> None:
        begun.append(workbench)

    desk = CalibrationDesk(configuration, settings=bench_settings(configuration))
    with pytest.raises(DryRunRefusal, match=r"joulebench calibrate .*safety\.dry_run = false"):
        await desk.run(procedure, operator=object(), particulars=Particulars(), progress=lambda *_: None)  # type: ignore[arg-type]
    assert begun == []
