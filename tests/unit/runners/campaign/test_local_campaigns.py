"""A board's own campaigns: one measurement a run, whoever is away meanwhile."""

from pathlib import Path

from runners.campaign.journal import read_journal
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
