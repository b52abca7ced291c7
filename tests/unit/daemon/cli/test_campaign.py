"""`joulebench campaign`, as a user calls it, on a journal that a campaign has left."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from daemon.cli.campaign import NOT_ALL_DONE, journal_path
from daemon.cli.campaign_progress import campaign_progress
from daemon.cli.campaign_table import campaign_table
from runners.campaign.driver import CampaignDriver
from runners.campaign.journal import Journal, read_journal
from runners.campaign.plan import CampaignPlan, read_plan
from runners.campaign.progress import CampaignProgress
from runners.messages import RunPhase
from tests.in_process import Ended, run_command
from tests.unit.runners.campaign.plans import FakeExecutor, done, failed

PLAN = """
name = "night"
order = "listed"
[cool_down]
limit_s = 0.01
period_s = 0.001
idle_power_w = 2.0
[retries]
first_delay_s = 0
[[sweep]]
networks = ["alexnet", "vgg19"]
batch_sizes = [1, 64]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "night.toml"
    path.write_text(PLAN)
    return path


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def called(*arguments: object) -> Ended:
        return run_command(["campaign", *map(str, arguments)], monkeypatch=monkeypatch, capsys=capsys)

    return called


async def measured(file: Path, capsys: pytest.CaptureFixture[str]) -> tuple[CampaignPlan, str]:
    """Leave the journal of a campaign in which one run is invalid and one does not fit; return what was said."""
    ends = {
        ("alexnet", 1): done,
        ("alexnet", 64): lambda run_id: done(run_id, "invalid"),
        ("vgg19", 1): lambda run_id: failed("no_trigger"),
        ("vgg19", 64): lambda run_id: failed("out_of_memory", RunPhase.REJECTED),
    }
    plan = read_plan(file)
    executor = FakeExecutor(lambda one: ends[(one.network, one.batch_size)](one.run_id))
    executor.powers_w = [2.5]
    with Journal(journal_path(file, None)) as journal, campaign_progress(plan) as watcher:
        await CampaignDriver(plan, journal, executor, watcher=watcher).run()
    return plan, capsys.readouterr().err


def test_the_plan_is_shown_before_anything_is_begun(file: Path, call: Any) -> None:
    shown = call("plan", file)
    assert shown.returncode == 0
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert [line for line in lines if line and line[0].isdecimal()] == [
        ["1", "alexnet", "1", "1", "fp32", "-", "waiting"],
        ["2", "alexnet", "64", "1", "fp32", "-", "waiting"],
        ["3", "vgg19", "1", "1", "fp32", "-", "waiting"],
        ["4", "vgg19", "64", "1", "fp32", "-", "waiting"],
    ]
    assert not journal_path(file, None).exists()


async def test_what_was_measured_and_what_was_not_is_shown(
    file: Path, call: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    await measured(file, capsys)
    shown = call("show", file)
    assert shown.returncode == 0
    assert "vgg19, batch 64, fp32: refused: out_of_memory: because of out_of_memory" in shown.stdout
    assert "vgg19, batch 1, fp32: failed: no_trigger: because of no_trigger" in shown.stdout
    assert "2 of 4 runs are measured" in shown.stdout
    assert "idle power was not back within 0.01 s before run 1, 2, 3" in shown.stdout
    document = json.loads(call("show", file, "--json").stdout)
    assert document["counts"] == {"done": 2, "refused": 1, "failed": 1, "commanded": 0, "waiting": 0}
    assert document["qualities"] == {"valid": 1, "degraded": 0, "invalid": 1}
    assert [run["attempts"] for run in document["runs"]] == [1, 1, 4, 1]
    assert document["runs"][0]["gross_energy_per_image_j"] == 1.5
    assert f"invalid: {document['runs'][1]['run_id']}; `joulebench runs show RUN` says why" in shown.stdout
    planned = json.loads(call("plan", file, "--json").stdout)
    assert planned == document


async def test_on_80_columns_every_network_and_energy_is_told_whole(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(PLAN.replace("vgg19", "inception_v3"))
    plan = read_plan(file)
    executor = FakeExecutor(lambda one: done(one.run_id, "degraded"))
    executor.powers_w = [2.0]
    with Journal(journal_path(file, None)) as journal, campaign_progress(plan) as watcher:
        await CampaignDriver(plan, journal, executor, watcher=watcher).run()
    progress = CampaignProgress.of(plan.runs, read_journal(journal_path(file, None)))
    assert progress.runs[0].best is not None
    for run in progress.runs:
        run.best.update(  # type: ignore[union-attr]
            gross_energy_per_image_j=16.02, gross_u95_j=0.16, net_energy_per_image_j=10.56, net_u95_j=0.49
        )
    for width, names in ((80, False), (140, True)):
        console = Console(width=width)
        with console.capture() as told:
            console.print(campaign_table(plan, progress, width=width))
        text = told.get()
        assert "…" not in text
        assert text.count("inception_v3") == 2
        assert text.count("16.02 ± 0.16") == text.count("10.56 ± 0.49") == 4
        assert text.count("degraded") == 4
        assert (str(progress.runs[0].run_id) in text) is names


async def test_progress_goes_to_standard_error_with_the_time_that_is_left(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = await measured(file, capsys)
    assert "run 1, alexnet, batch 1, fp32: done, valid (1 of 4 done, 0:00:0" in said
    assert "left)" in said
    assert "run 3, vgg19, batch 1, fp32: trying again in 0 s" in said


async def test_on_a_terminal_a_bar_shows_how_many_are_over_and_what_went_wrong(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "160"}.items():
        monkeypatch.setenv(name, value)
    _, said = await measured(file, capsys)
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)
    assert "4/4" in plain
    assert "vgg19, batch 64, fp32: rejected: out_of_memory" in plain
    assert "alexnet, batch 64, fp32: done, invalid" in plain
    assert "alexnet, batch 1, fp32: done, valid" not in plain, "a line is for what is not as it should be"


def test_mistakes_in_the_file_are_told_in_one_go(file: Path, call: Any) -> None:
    file.write_text(PLAN.replace("vgg19", "vgg20") + "nonsense = 1\n")
    refused = call("plan", file)
    assert refused.returncode == 1
    assert "vgg20" in refused.stderr
    assert "nonsense" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_a_changed_file_is_refused_by_its_key(file: Path, call: Any, capsys: pytest.CaptureFixture[str]) -> None:
    await measured(file, capsys)
    file.write_text("repeats = 2\n" + PLAN)
    refused = call("show", file)
    assert refused.returncode == 1
    assert "repeats: was 1, is 2" in refused.stderr


BENCH = """
[bench]
name = "lab"
[oscilloscope]
resource = "TCPIP0::127.0.0.1::9::SOCKET"
current_scale_a_per_div = 0.2
[power_supply]
resource = "GPIB0::5::INSTR"
max_voltage_v = 20.0
max_current_a = 2.2
[runs]
networks = ["alexnet"]
[storage]
directory = "data"
[calibration]
directory = "certificates"
"""


def test_a_network_that_the_daemon_does_not_admit_is_refused_before_anything(file: Path, call: Any) -> None:
    config = file.with_name("bench.toml")
    config.write_text(BENCH)
    refused = call("run", file, "--config", config, "--board", "jetson")
    assert refused.returncode == 1
    assert "network 'vgg19' is not among runs.networks" in refused.stderr
    assert not journal_path(file, None).exists()


def test_who_is_not_there_is_named_when_patience_ends(file: Path, call: Any) -> None:
    config = file.with_name("bench.toml")
    config.write_text(BENCH.replace('["alexnet"]', '["*"]') + "[mqtt]\nport = 9\n")
    stopped = call("run", file, "--config", config, "--board", "jetson", "--patience-s", "1")
    assert stopped.returncode == 1
    assert "waited 1 s for the MQTT broker 127.0.0.1:9" in stopped.stderr


def test_a_campaign_of_which_not_all_is_done_ends_with_a_status_of_its_own(
    file: Path, call: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(measured(file, capsys))

    async def run(self: CampaignDriver) -> CampaignProgress:
        return self.progress

    monkeypatch.setattr(CampaignDriver, "run", run)
    config = file.with_name("bench.toml")
    config.write_text(BENCH.replace('["alexnet"]', '["*"]'))
    ended = call("run", file, "--config", config, "--board", "jetson", "--json")
    assert ended.returncode == NOT_ALL_DONE == 4
    assert json.loads(ended.stdout)["counts"]["done"] == 2


def test_two_processes_do_not_run_one_campaign(file: Path, call: Any, tmp_path: Path) -> None:
    config = file.with_name("bench.toml")
    config.write_text(BENCH.replace('["alexnet"]', '["*"]'))
    state = tmp_path / "state"
    with Journal(journal_path(file, state)):
        refused = call("run", file, "--config", config, "--board", "jetson", "--state", state)
    assert refused.returncode == 1
    assert "another process runs this campaign" in refused.stderr
