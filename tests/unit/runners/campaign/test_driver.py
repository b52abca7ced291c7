"""Driver: every planned run once, whatever happens and however often it is started again."""

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.cli.campaign_table import remarks
from runners.campaign.driver import CampaignDriver
from runners.campaign.ending import Ending
from runners.campaign.executor import NO_SUPPLY, NOT_READY
from runners.campaign.journal import Journal, read_journal
from runners.campaign.plan import CampaignPlan
from runners.campaign.progress import CampaignProgress
from runners.errors import CampaignFileError, CampaignStalled, JournalError
from runners.messages import BoardCommand, RunPhase
from tests.unit.runners.campaign.plans import FAST, FakeExecutor, done, failed, plan_of


async def drive(path: Path, executor: FakeExecutor, plan: CampaignPlan | None = None, **more: bool) -> CampaignProgress:
    with Journal(path) as journal:
        return await CampaignDriver(plan or plan_of(), journal, executor, **more).run()


def events(path: Path) -> list[str]:
    return [line["event"] for line in read_journal(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "c.jsonl"


async def test_every_run_is_performed_once_in_the_plans_order(path: Path) -> None:
    executor, plan = FakeExecutor(), plan_of(captures=3, images=8)
    progress = await drive(path, executor, plan)
    assert [(command.network, command.batch_size) for command, _ in executor.performed] == [
        (run.cell.network, run.cell.batch_size) for run in plan.runs
    ]
    assert all((one.captures, one.images_planned) == (3, 8) for one, _ in executor.performed)
    assert len(set(executor.run_ids)) == 4
    assert all(run_id.startswith(f"{progress.campaign_id}-000") for run_id in executor.run_ids)
    assert progress.count("done") == 4
    assert events(path) == ["begun", *["commanded", "ended"] * 4, "finished"]


async def test_started_again_a_finished_campaign_does_nothing(path: Path) -> None:
    first = await drive(path, FakeExecutor())
    executor = FakeExecutor()
    second = await drive(path, executor)
    assert executor.performed == []
    assert second.campaign_id == first.campaign_id
    assert [run.run_id for run in second.runs] == [run.run_id for run in first.runs]


class PowerCut(Exception):
    """The driver's end at a moment of the test's choice."""


@given(cuts=st.lists(st.integers(0, 9), max_size=6), torn=st.booleans())
@settings(max_examples=25)
def test_cut_off_anywhere_it_goes_on_and_every_run_is_done_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], torn: bool
) -> None:
    """After every line of the journal in turn the driver may die, and the journal's last line may be torn."""
    path = tmp_path_factory.mktemp("cut") / "c.jsonl"
    world: dict[str, BoardCommand] = {}  # what the daemon has measured, by identifier

    def measure(command: BoardCommand) -> object:
        world[command.run_id] = command
        return done(command.run_id)

    class DyingJournal(Journal):
        left: int | None = None

        def append(self, event: str, **detail: object) -> None:
            super().append(event, **detail)
            if self.left is not None:
                self.left -= 1
                if self.left < 0:
                    raise PowerCut

    for cut in [*cuts, None]:
        with DyingJournal(path) as journal:
            journal.left = cut
            with contextlib.suppress(PowerCut):
                asyncio.run(CampaignDriver(plan_of(), journal, FakeExecutor(measure)).run())
        if torn:
            with path.open("ab") as file:
                file.write(b'{"event": "ended", "ind')
    lines = read_journal(path)
    progress = CampaignProgress.of(plan_of().runs, lines)
    assert progress.count("done") == 4
    asked = Counter((command.network, command.batch_size) for command in world.values())
    assert set(asked.values()) == {1}, "a run was measured twice"
    assert {run.run_id for run in progress.runs} == set(world)


async def test_a_run_of_unknown_end_is_asked_about_under_its_own_name(path: Path) -> None:
    with pytest.raises(CampaignStalled):
        await drive(path, FakeExecutor(stalling))
    assert events(path)[-1] == "stopped"
    executor = FakeExecutor()
    progress = await drive(path, executor)
    (first, commanded), *rest = executor.performed
    assert commanded
    assert first.run_id == f"{progress.campaign_id}-0001-1"
    assert not any(commanded for _, commanded in rest)
    assert progress.runs[0].attempts == 1


async def test_a_passing_failure_is_tried_again_up_to_the_limit(path: Path) -> None:
    seen: Counter[str] = Counter()

    def ends(command: BoardCommand) -> object:
        seen[command.network] += 1
        if command.network == "alexnet":
            return failed("instrument_timeout")
        return done(command.run_id) if seen[command.network] > 1 else failed("daemon_stopped", RunPhase.INTERRUPTED)

    progress = await drive(path, FakeExecutor(ends))
    states = {
        (run.planned.cell.network, run.planned.cell.batch_size): (run.state, run.attempts) for run in progress.runs
    }
    assert states[("alexnet", 1)] == states[("alexnet", 2)] == ("failed", FAST["attempts"])
    assert Counter(attempts for (name, _), (_, attempts) in states.items() if name == "resnet18") == {1: 1, 2: 1}
    assert events(path).count("skipped") == 2
    executor = FakeExecutor()
    progress = await drive(path, executor)
    assert len(executor.performed) == 2, "what failed is tried afresh when the campaign is started again"
    assert progress.count("done") == 4
    assert len({run_id for run in progress.runs for run_id in run.run_ids}) == sum(
        run.attempts for run in progress.runs
    )


async def test_what_is_refused_for_good_is_skipped_with_its_reason(path: Path) -> None:
    def ends(command: BoardCommand) -> object:
        if command.batch_size == 2:
            return failed("out_of_memory", RunPhase.REJECTED)
        return done(command.run_id)

    progress = await drive(path, FakeExecutor(ends))
    refused = [run for run in progress.runs if run.state == "refused"]
    assert [run.attempts for run in refused] == [1, 1]
    assert {run.document()["text"] for run in refused} == {"because of out_of_memory"}
    executor = FakeExecutor()
    await drive(path, executor)
    assert executor.performed == []
    progress = await drive(path, executor, again=True)
    assert len(executor.performed) == 2
    assert progress.count("done") == 4


async def test_an_invalid_result_is_kept_and_measured_again_where_that_is_wanted(path: Path) -> None:
    def ends(command: BoardCommand) -> object:
        return done(command.run_id, "invalid" if command.run_id.endswith("-1") else "valid")

    progress = await drive(path, FakeExecutor(ends), plan_of(retries=FAST | {"remeasure_invalid": 1}))
    assert [run.attempts for run in progress.runs] == [2] * 4
    assert {run.document()["quality"] for run in progress.runs} == {"valid"}
    assert all(run.document()["run_ids"] != [run.run_id] for run in progress.runs)


async def test_invalid_results_are_not_measured_again_by_themselves(path: Path) -> None:
    executor = FakeExecutor(lambda command: done(command.run_id, "invalid"))
    progress = await drive(path, executor)
    assert len(executor.performed) == 4
    assert {run.document()["quality"] for run in progress.runs} == {"invalid"}


async def test_always_invalid_ends_after_the_wanted_repetitions(path: Path) -> None:
    executor = FakeExecutor(lambda command: done(command.run_id, "invalid"))
    await drive(path, executor, plan_of(retries=FAST | {"remeasure_invalid": 2, "attempts": 9}))
    assert len(executor.performed) == 12


async def test_what_was_measured_is_not_counted_as_a_failed_attempt(path: Path) -> None:
    executor = FakeExecutor(lambda command: done(command.run_id, "invalid"))
    await drive(path, executor, plan_of(retries=FAST | {"remeasure_invalid": 5, "attempts": 2}))
    assert len(executor.performed) == 4 * 6
    assert "skipped" not in events(path)


async def test_a_remeasurement_that_cannot_be_done_ends(path: Path) -> None:
    def ends(command: BoardCommand) -> object:
        return done(command.run_id, "invalid") if command.run_id.endswith("-1") else failed("out_of_memory")

    executor = FakeExecutor(ends)
    progress = await drive(path, executor, plan_of(retries=FAST | {"remeasure_invalid": 5, "attempts": 2}))
    assert len(executor.performed) == 4 * 3
    assert progress.count("done") == 4


async def test_a_file_that_changed_is_refused_by_key(path: Path) -> None:
    await drive(path, FakeExecutor())
    changed = plan_of(repeats=2, sweep=[{"networks": ["alexnet", "enet"], "batch_sizes": [1, 2]}])
    with pytest.raises(JournalError) as refused:
        await drive(path, FakeExecutor(), changed)
    text = str(refused.value)
    assert "repeats: was 1, is 2" in text
    assert "sweep[1].networks[2]: was 'resnet18', is 'enet'" in text
    assert "name" not in text.partition("(")[2].partition(")")[0]
    assert "put the file back" in text


async def test_a_campaign_stays_on_its_board(path: Path) -> None:
    await drive(path, FakeExecutor())
    elsewhere = FakeExecutor()
    elsewhere.board = "nano"
    with pytest.raises(JournalError, match="begun on board 'jetson' of bench 'lab'"):
        await drive(path, elsewhere)
    assert elsewhere.performed == []


async def test_a_later_version_goes_on_with_an_older_journal(path: Path) -> None:
    """A key that was added since has its default, and the order stays the journal's."""
    with pytest.raises(CampaignStalled):
        await drive(path, FakeExecutor(stalling))
    begun, *rest = path.read_text().splitlines()
    line = json.loads(begun)
    del line["settings"]["retries"]["remeasure_invalid"]
    line["order"] = [one | {"index": index} for index, one in enumerate(reversed(line["order"]), start=1)]
    path.write_text("\n".join([json.dumps(line), *rest]) + "\n")
    executor = FakeExecutor()
    await drive(path, executor)
    assert [(one.network, one.batch_size) for one, _ in executor.performed] == [
        (one["network"], one["batch_size"]) for one in line["order"]
    ]


def stalling(command: BoardCommand) -> Ending:
    raise CampaignStalled("the daemon", 900)


async def test_a_board_that_cannot_run_it_all_is_told_before_anything_begins(path: Path) -> None:
    executor = FakeExecutor()
    executor.problem = CampaignFileError("board b", ["network 'resnet18' is not among those that it runs: alexnet"])
    with pytest.raises(CampaignFileError, match="resnet18"):
        await drive(path, executor)
    assert events(path) == []


async def test_it_waits_until_idle_power_is_back(path: Path) -> None:
    executor, cool = FakeExecutor(), {"tolerance": 0.05, "period_s": 1e-3, "limit_s": 30}
    executor.powers_w = [2.0] * 5 + [2.0] * 3 + [2.4, 2.3, 2.2, 2.11, 2.05, 2.04] + [2.0]
    progress = await drive(path, executor, plan_of(cool_down=cool))
    assert progress.idle_power_w == 2.0
    assert [line["reached"] for line in progress.cool_downs] == [True] * 4
    assert progress.cool_downs[1]["power_w"] == 2.05
    assert executor.powers_w == [2.0], "each reading until then was waited for"


async def test_a_board_that_stays_warm_is_measured_after_the_limit_and_said_to_be(path: Path) -> None:
    executor, cool = FakeExecutor(), {"period_s": 1e-3, "limit_s": 0.02, "idle_power_w": 1.5}
    executor.powers_w = [2.0]
    progress = await drive(path, executor, plan_of(cool_down=cool))
    assert progress.count("done") == 4
    assert [(line["reached"], line["power_w"], line["idle_power_w"]) for line in progress.cool_downs] == [
        (False, 2.0, 1.5)
    ] * 4


async def test_readings_that_do_not_come_at_once_are_waited_for(path: Path) -> None:
    executor, cool = FakeExecutor(), {"period_s": 1e-3, "limit_s": 30}
    executor.powers_w = [None, None, 2.0, None, 2.0]
    progress = await drive(path, executor, plan_of(cool_down=cool))
    assert progress.idle_power_w == 2.0
    assert [line["reached"] for line in progress.cool_downs] == [True] * 4


async def test_without_a_reading_it_goes_on_after_the_limit_and_says_so(path: Path) -> None:
    executor, plan = FakeExecutor(), plan_of(cool_down={"period_s": 1e-3, "limit_s": 0.02})
    executor.powers_w = [None]
    progress = await drive(path, executor, plan)
    assert progress.count("done") == 4
    assert (progress.idle_power_w, progress.idle_power_reason) == (None, "instrument_timeout")
    assert progress.cool_downs == []
    (line,) = [line for line in read_journal(path) if line["event"] == "idle_power"]
    assert (line["power_w"], line["reason"]) == (None, "instrument_timeout")
    assert any("(instrument_timeout): no run waited" in one for one in remarks(plan, progress))


@pytest.mark.parametrize("idle_power_w", [None, 1.5])
async def test_what_no_waiting_makes_readable_is_not_waited_for(path: Path, idle_power_w: float | None) -> None:
    executor, plan = FakeExecutor(), plan_of(cool_down={"limit_s": 86_400, "idle_power_w": idle_power_w})
    executor.powers_w, executor.power_reason = [None], NOT_READY if idle_power_w else NO_SUPPLY
    progress = await asyncio.wait_for(drive(path, executor, plan), 10)
    assert progress.count("done") == 4
    assert [line["reason"] for line in progress.cool_downs] == ([NOT_READY] * 4 if idle_power_w else [])
    assert not any("raise cool_down.limit_s" in one for one in remarks(plan, progress))


async def test_interrupted_it_says_so_in_the_journal(path: Path) -> None:
    executor = FakeExecutor()
    begun = asyncio.Event()

    async def perform(*_: object, **__: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    executor.perform = perform  # type: ignore[assignment,method-assign]
    task = asyncio.create_task(drive(path, executor))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert events(path)[-2:] == ["commanded", "stopped"]


async def test_remaining_time_is_that_of_the_like_measured_before(path: Path) -> None:
    plan = plan_of(repeats=2, order="listed")
    progress = await drive(path, FakeExecutor(), plan)
    lines = [dict(line) for line in read_journal(path)]
    half = CampaignProgress.of(plan.runs, [])
    assert half.remaining_s(remeasure_invalid=0) is None
    seconds = iter([10.0, 20.0, 30.0, 40.0])
    for line in lines[: 1 + 2 * 4]:
        half.take(line | ({"duration_s": next(seconds)} if line["event"] == "ended" else {}))
    assert half.remaining_s(remeasure_invalid=0) == pytest.approx(100.0)
    assert progress.remaining_s(remeasure_invalid=0) == 0
    for line in lines[9:11]:
        half.take(line | ({"duration_s": 12.0} if line["event"] == "ended" else {}))
    assert half.remaining_s(remeasure_invalid=0) == pytest.approx(90.0), "the mean of a cell counts, not its last"
