"""Driver: takes a campaign from where its journal ends to its end."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any
from uuid import uuid4

from runners.campaign.cool_down import REFERENCE_READINGS, CoolDownWatch, Step
from runners.campaign.ending import Ending
from runners.campaign.executor import NO_SUPPLY, WAITING_IS_VAIN, Executor
from runners.campaign.journal import FORMAT, VERSION, Journal
from runners.campaign.plan import CampaignPlan, plan_of
from runners.campaign.progress import CampaignProgress, RunProgress
from runners.errors import CampaignStalled, JournalError

logger = logging.getLogger(__name__)


class CampaignWatcher:
    """Is told how a campaign goes; every method may be left as it is."""

    def begins(self, progress: CampaignProgress) -> None:
        """The campaign begins, or goes on."""

    def says(self, run: RunProgress, text: str) -> None:
        """Something is done for a run."""

    def ended(self, run: RunProgress, ending: Ending, progress: CampaignProgress) -> None:
        """An attempt has ended."""


class CampaignDriver:
    """One campaign on one board. What it does is in the journal before it is done, what it learns as soon as it is."""

    def __init__(
        self,
        plan: CampaignPlan,
        journal: Journal,
        executor: Executor,
        *,
        watcher: CampaignWatcher | None = None,
        again: bool = False,
    ) -> None:
        """Drive a campaign.

        Args:
            plan: what its file says.
            journal: its journal, open.
            executor: performs the runs.
            watcher: told how it goes.
            again: try what was refused for good once more.

        Raises:
            JournalError: the journal is that of another plan, bench or board.
        """
        check_unchanged(plan, journal.lines, journal.path)
        _check_place(executor, journal)
        self._plan = plan
        self._journal = journal
        self._executor = executor
        self._watcher = watcher or CampaignWatcher()
        self._again = again
        self.progress = CampaignProgress.of(plan.runs, journal.lines)

    async def run(self) -> CampaignProgress:
        """Measure whatever is not measured yet, and return what all came to.

        Raises:
            CampaignFileError: the board cannot run all that is planned; nothing has been begun.
            CampaignStalled: board, daemon or broker did not come back; call again when they are.
        """
        await self._executor.check(tuple(dict.fromkeys(run.planned.cell for run in self.progress.runs)))
        self._begin()
        self._watcher.begins(self.progress)
        try:
            await self._learn_idle_power()
            for run in self.progress.runs:
                while not run.is_over(remeasure_invalid=self._plan.retries.remeasure_invalid):
                    await self._attempt(run)
        except CampaignStalled as error:
            self._note("stopped", text=str(error))
            raise
        except asyncio.CancelledError:
            with suppress(JournalError):  # a full disk must not turn the interruption into going on
                self._note("stopped", text="the campaign was interrupted; run it again to go on")
            raise
        self._note("finished")
        return self.progress

    def _begin(self) -> None:
        if self.progress.campaign_id is not None:
            self._note("resumed", again=self._again)
            return
        self._note(
            "begun",
            format=FORMAT,
            version=VERSION,
            campaign_id=f"{self._plan.name}-{uuid4().hex[:8]}",
            place=dict(self._executor.place),
            settings=settings_of(self._plan),
            order=[run.planned.document() for run in self.progress.runs],
        )

    async def _attempt(self, run: RunProgress) -> None:
        began_s = time.monotonic()
        open_run_id = run.open_run_id
        if open_run_id is None:
            if run.tries >= self._plan.retries.attempts:
                self._note("skipped", index=run.planned.index, attempts=run.tries)
                return
            await self._pause(run)
            await self._cool_down(run)
            run_id = self._next_run_id(run)
            self._note("commanded", index=run.planned.index, attempt=run.attempts + 1, run_id=run_id)
        else:
            run_id = open_run_id
        command = run.planned.command(run_id, captures=self._plan.captures, images=self._plan.images)
        ending = await self._executor.perform(
            command, commanded=open_run_id is not None, tell=lambda text: self._watcher.says(run, text)
        )
        duration_s = round(time.monotonic() - began_s, 3) if open_run_id is None else None
        self._note("ended", index=run.planned.index, run_id=run_id, duration_s=duration_s, **ending.document())
        self._watcher.ended(run, ending, self.progress)

    def _next_run_id(self, run: RunProgress) -> str:
        return f"{self.progress.campaign_id}-{run.planned.index:04d}-{run.attempts + 1}"

    async def _pause(self, run: RunProgress) -> None:
        """Give what failed a little time before it is tried again; a free board and bench are waited for anyway."""
        retries = self._plan.retries
        if run.tries:
            delay_s = min(retries.longest_delay_s, retries.first_delay_s * 2 ** (run.tries - 1))
            self._watcher.says(run, f"trying again in {delay_s:g} s")
            await asyncio.sleep(delay_s)

    async def _learn_idle_power(self) -> None:
        """Note what the board draws at the campaign's begin, unless the plan or an earlier part of it says so."""
        settings = self._plan.cool_down
        if not settings.enabled or self.progress.idle_power_w is not None:
            return
        if settings.idle_power_w is not None:
            self._note("idle_power", power_w=settings.idle_power_w, configured=True)
            return
        readings: list[float] = []
        began_s, reason = time.monotonic(), None
        while len(readings) < REFERENCE_READINGS:
            if readings or reason:
                await asyncio.sleep(settings.period_s)
            idle = await self._executor.idle_power()
            if idle.power_w is not None:
                readings.append(idle.power_w)
            elif idle.reason == NO_SUPPLY or time.monotonic() - began_s >= settings.limit_s:
                logger.warning("no run waits for the board to cool down: %s: %s", idle.reason, idle.text)
                self._note("idle_power", power_w=None, configured=False, reason=idle.reason, text=idle.text)
                return
            elif idle.reason != reason:
                reason = idle.reason
                text = "idle power cannot be read, trying for %g s: %s: %s"
                logger.warning(text, settings.limit_s, reason, idle.text)
        self._note("idle_power", power_w=median(readings), configured=False)

    async def _cool_down(self, run: RunProgress) -> None:
        """Wait until idle power is back, or too long; what it came to is journalled."""
        settings, idle_power_w = self._plan.cool_down, self.progress.idle_power_w
        if not settings.enabled or idle_power_w is None:
            return
        watch = CoolDownWatch(idle_power_w=idle_power_w, tolerance=settings.tolerance, limit_s=settings.limit_s)
        began_s = time.monotonic()
        step = Step.WAIT
        while step is Step.WAIT:
            idle = await self._executor.idle_power()
            waited_s = time.monotonic() - began_s
            if idle.power_w is not None:
                step = watch.take(idle.power_w, waited_s=waited_s)
            else:  # instruments that only the run opens, above all, are not waited for
                step = Step.TOO_LATE if idle.reason in WAITING_IS_VAIN else watch.step(waited_s=waited_s)
            if step is Step.WAIT:
                self._watcher.says(run, _cooling(watch, waited_s))
                await asyncio.sleep(settings.period_s)
        self._note(
            "cooled",
            index=run.planned.index,
            reached=step is Step.COLD,
            power_w=watch.power_w,
            idle_power_w=idle_power_w,
            tolerance=settings.tolerance,
            waited_s=round(waited_s, 3),
            reason=idle.reason,
        )
        if step is Step.TOO_LATE:
            text = "run %d: idle power is not back after %.3g s: %s W%s, it was %.4g W at the begin; going on"
            power_text = "unknown" if watch.power_w is None else f"{watch.power_w:.4g}"
            reason_text = f" ({idle.reason}: {idle.text})" if idle.reason else ""
            logger.warning(text, run.planned.index, waited_s, power_text, reason_text, idle_power_w)

    def _note(self, event: str, **detail: Any) -> None:
        self._journal.append(event, **detail)
        self.progress.take(self._journal.lines[-1])


def settings_of(plan: CampaignPlan) -> dict[str, Any]:
    """Return a plan as JSON values, every default written out."""
    return plan.model_dump(mode="json")


def check_unchanged(plan: CampaignPlan, lines: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Raise JournalError, naming the keys, where a journal of these lines was begun with another plan."""
    if not lines:
        return
    # Read as a plan, a key that a later version added has the default that it had when the campaign was begun.
    begun = dict(_flat(settings_of(plan_of(lines[0]["settings"], source=path))))
    now = dict(_flat(settings_of(plan)))
    changed = [key for key in sorted(begun.keys() | now.keys()) if begun.get(key) != now.get(key)]
    if changed:
        told = "; ".join(f"{key}: was {begun.get(key)!r}, is {now.get(key)!r}" for key in changed)
        raise JournalError(
            path,
            f"the campaign was begun with another file ({told}); put the file back to go on with it, or move the "
            "journal away to begin a new campaign",
        )


def _check_place(executor: Executor, journal: Journal) -> None:
    """Refuse to go on elsewhere: runs of two boards under one campaign's name would pass for one board's."""
    if not journal.lines:
        return
    begun, here = journal.lines[0]["place"], dict(executor.place)
    if begun != here:
        where = " of ".join(f"{kind} {begun.get(kind)!r}" for kind in ("board", "bench"))
        raise JournalError(journal.path, f"the campaign was begun on {where}; go on there, or use --state for another")


def _flat(value: Any, place: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of nested tables and lists, each with its place."""
    if isinstance(value, Mapping):
        return [leaf for key, one in value.items() for leaf in _flat(one, f"{place}.{key}" if place else str(key))]
    if isinstance(value, list):
        return [leaf for number, one in enumerate(value, start=1) for leaf in _flat(one, f"{place}[{number}]")]
    return [(place, value)]


def _cooling(watch: CoolDownWatch, waited_s: float) -> str:
    power_text = "not known yet" if watch.power_w is None else f"{watch.power_w:.3f} W"
    bound_w = watch.idle_power_w * (1 + watch.tolerance)
    return f"cooling down: {power_text}, goes on at {bound_w:.3f} W, {waited_s:.0f} of {watch.limit_s:.0f} s"
