"""Bench patrol: looks at the instruments between two runs, and knows how the last daemon left them."""

import asyncio
import logging
from collections.abc import Callable

from daemon.bench_keeper import BenchKeeper
from daemon.errors import SupplyRefusal
from daemon.exit_mark import ExitMark
from daemon.sections.safety import CrashChoice, SafetySection
from daemon.supply_guard import SupplyGuard
from instruments.errors import InstrumentError

logger = logging.getLogger(__name__)

OWED_S = 5.0
"""Time between two tries at what cannot wait for the next look or run, in seconds."""
CLOCK_S = 0.001
"""So much too early a sleep may end, in seconds."""


class BenchPatrol:
    """Goes its rounds while no run is in hand."""

    def __init__(
        self,
        keeper: BenchKeeper,
        guard: SupplyGuard,
        *,
        safety: SafetySection,
        mark: ExitMark,
        current_run: Callable[[], str | None],
    ) -> None:
        """Patrol a bench.

        Args:
            keeper: the instruments.
            guard: who acts on what is seen.
            safety: how often, and what becomes of an output after a crash.
            mark: tells how the last daemon ended.
            current_run: the run in hand; None: the bench is free.
        """
        self._keeper = keeper
        self._guard = guard
        self._safety = safety
        self._mark = mark
        self._current_run = current_run
        self._begun = False
        self.rounds = 0
        """How often the instruments have been looked at."""

    async def begin(self) -> None:
        """Take the bench in hand, before it is opened: after a crash the output is brought to where it is to be."""
        died = await asyncio.to_thread(self._mark.begin)
        self._begun = True
        await self._tell_what_keeps_runs_away()
        if died is None:
            return
        choice = self._safety.after_crash
        logger.warning(
            "the last daemon (%s) was killed or lost its power, and the supply stayed as it was; now after_crash = %s",
            died, choice.value,
        )  # fmt: skip
        text = f"the last daemon, {died}, was killed or lost its power"
        await self._guard.note("unclean_exit", text=text, reaction=choice.value)
        if choice is CrashChoice.OFF:
            self._guard.owe("after_crash")
            try:
                await self._guard.pay()
            except InstrumentError as error:
                logger.error("the output may be ON; it is switched off as soon as the supply answers: %s", error)

    async def _tell_what_keeps_runs_away(self) -> None:
        """Say at the start what would otherwise be heard of only with the first run that is refused."""
        if self._safety.dry_run:
            logger.warning("dry run: every run is rejected, and no policy switches the output off")
        try:
            await asyncio.to_thread(self._guard.refuse_standing)
        except SupplyRefusal as refusal:
            logger.warning("no run is taken: %s", refusal)

    async def run(self) -> None:
        """Look at the bench again and again until cancelled; without an interval only while a policy waits for it.

        An output that is to be off, and could not be switched off, must not wait for a run that may never come.
        """
        interval_s = self._safety.watch_interval_s
        clock = asyncio.get_running_loop().time
        due_s = clock() + interval_s
        while True:
            await asyncio.sleep(min(interval_s, OWED_S) or OWED_S)
            is_due = interval_s > 0 and clock() >= due_s - CLOCK_S
            if is_due or self._guard.is_in_debt or self._guard.is_waiting:
                await self._round()
                due_s = clock() + interval_s

    async def _round(self) -> None:
        try:
            await self._keeper.patrol(lambda: self._current_run() is None)
        except Exception:
            # Whoever looks on must not end the daemon; the next round opens the bench afresh.
            logger.exception("the instruments could not be looked at between two runs")
            self._keeper.suspect()
        self.rounds += 1

    async def end(self) -> None:
        """Give the bench back: it has been closed. An output that was to be off, and may be on, is left to the next."""
        if self._begun and self._keeper.is_left_as_told and not self._guard.is_in_debt:
            await asyncio.to_thread(self._mark.end)
