"""Campaign progress: how far a campaign is and how long it will take, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from runners.campaign.driver import CampaignWatcher
from runners.campaign.ending import Ending
from runners.campaign.plan import CampaignPlan
from runners.campaign.progress import CampaignProgress, RunProgress


@contextmanager
def campaign_progress(plan: CampaignPlan) -> Iterator[CampaignWatcher]:
    """Yield what shows a campaign's progress: a bar on a terminal, a line for each step elsewhere."""
    console = Console(stderr=True, soft_wrap=True)
    remeasure = plan.retries.remeasure_invalid
    if not console.is_terminal:
        yield _Lines(console, remeasure)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Bar(bar, remeasure)


def remaining_text(progress: CampaignProgress, remeasure_invalid: int) -> str:
    """Return how long is left, in words; empty where nothing was measured yet."""
    left_s = progress.remaining_s(remeasure_invalid=remeasure_invalid)
    return "" if left_s is None else f"{timedelta(seconds=round(left_s))} left"


class _Lines(CampaignWatcher):
    """A line for each step."""

    def __init__(self, console: Console, remeasure_invalid: int) -> None:
        self._console = console
        self._remeasure = remeasure_invalid
        self._last = ""

    def begins(self, progress: CampaignProgress) -> None:
        self._print(f"campaign {progress.campaign_id}: {progress.count('done')} of {len(progress.runs)} runs are done")

    def says(self, run: RunProgress, text: str) -> None:
        if text.partition(":")[0] != self._last:  # the readings of one wait are one step
            self._last = text.partition(":")[0]
            self._print(f"run {run.planned.index}, {run.planned}: {text}")

    def ended(self, run: RunProgress, ending: Ending, progress: CampaignProgress) -> None:
        self._last = ""
        left = remaining_text(progress, self._remeasure)
        done = f"{progress.count('done')} of {len(progress.runs)} done"
        self._print(
            f"run {run.planned.index}, {run.planned}: {_ended_text(ending)} ({', '.join(filter(None, (done, left)))})"
        )

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)


class _Bar(CampaignWatcher):
    """A bar that changes, and a line above it for each attempt that did not end well."""

    def __init__(self, bar: Progress, remeasure_invalid: int) -> None:
        self._bar = bar
        self._remeasure = remeasure_invalid
        self._task = bar.add_task("waiting for the board", total=None, left="")

    def begins(self, progress: CampaignProgress) -> None:
        self._update(progress)

    def says(self, run: RunProgress, text: str) -> None:
        self._bar.update(self._task, description=escape(f"{run.planned}: {text}"))

    def ended(self, run: RunProgress, ending: Ending, progress: CampaignProgress) -> None:
        if ending.result is None or ending.result.quality != "valid":
            self._bar.console.print(f"{run.planned}: {_ended_text(ending)}", markup=False, highlight=False)
        self._update(progress)

    def _update(self, progress: CampaignProgress) -> None:
        over = sum(run.is_over(remeasure_invalid=self._remeasure) for run in progress.runs)
        left = remaining_text(progress, self._remeasure)
        self._bar.update(self._task, total=len(progress.runs), completed=over, left=left)


def _ended_text(ending: Ending) -> str:
    if ending.result is not None:
        return f"done, {ending.result.quality}"
    return f"{ending.state.value}: {ending.reason}: {ending.text}"
