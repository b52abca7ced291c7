"""A board's own campaigns: one measurement a run, whoever is away meanwhile."""

import json
from pathlib import Path

import pytest

from runners.campaign.journal import FORMAT, VERSION, read_journal
from runners.campaign.local_campaigns import SUFFIX, LocalCampaigns, LocalExecutor
from runners.errors import DaemonSilent
from runners.messages import BoardCommand, RunPhase
from runners.run_outcome import RunOutcome
from tests.unit.runners.campaign.plans import plan_of
from tests.unit.runners.fake_daemon import example_result


class Performer:
    """Performs runs as an agent does; of each run's first end the daemon says nothing."""

    def __init__(self, *, silent: int) -> None:
        self.run_ids: list[str] = []
        self._silent = silent

    async def __call__(self, command: BoardCommand) -> RunOutcome:
        self.run_ids.append(command.run_id)
        if self.run_ids.count(command.run_id) <= self._silent:
            error = DaemonSilent("end of the run", 60, RunPhase.ANALYSING)
            return RunOutcome(
                run_id=command.run_id, state=RunPhase.FAILED, reason=error.reason, text=str(error), cause=error
            )
        return RunOutcome(run_id=command.run_id, state=RunPhase.DONE, result=example_result(command.run_id))


async def at_once() -> None:
    """Broker and bench are there."""


def local_campaigns(folder: Path, performer: Performer) -> LocalCampaigns:
    executor = LocalExecutor(
        performer,
        until_free=at_once,
        place={"bench": "lab", "board": "jetson"},
        networks=("alexnet", "resnet18"),
        precisions=("fp32",),
        backends=("cpu",),
    )
    return LocalCampaigns(folder, executor)


async def test_a_run_of_whose_end_the_daemon_is_silent_is_asked_for_again_under_its_own_name(tmp_path: Path) -> None:
    performer = Performer(silent=1)
    await local_campaigns(tmp_path, performer).perform(plan_of().model_dump(mode="json"), again=False)
    ended = [line for line in read_journal(tmp_path / f"test{SUFFIX}") if line["event"] == "ended"]
    assert [line["verdict"] for line in ended] == ["done"] * 4
    assert [performer.run_ids.count(line["run_id"]) for line in ended] == [2] * 4
    assert len(set(performer.run_ids)) == 4, "a new run was commanded for one that may have been measured"


async def test_a_journal_that_cannot_be_read_keeps_no_other_campaign_waiting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    campaigns = local_campaigns(tmp_path, Performer(silent=0))
    journal = tmp_path / f"test{SUFFIX}"
    await campaigns.perform(plan_of().model_dump(mode="json"), again=False)
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    (tmp_path / f"folder{SUFFIX}").mkdir()
    (tmp_path / f"dangling{SUFFIX}").symlink_to(tmp_path / f"folder{SUFFIX}" / "inner", target_is_directory=True)
    begun = {"event": "begun", "format": FORMAT, "version": VERSION}
    (tmp_path / f"short{SUFFIX}").write_text(json.dumps(begun) + "\n")
    assert [plan["name"] for plan in campaigns.unfinished()] == ["test"]
    assert "folder" in caplog.text
    assert "line 1 lacks campaign_id, place, settings, order" in caplog.text
