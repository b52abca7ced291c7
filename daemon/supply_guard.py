"""Supply guard: holds each reading against the policies, and does what they say."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from daemon.errors import SupplyRefusal
from daemon.sections.safety import ReactionChoice
from daemon.supply_alarm import Alarm, AlarmFile
from daemon.supply_concerns import Concern, ConcernKind, SupplyBounds, concerns_of
from instruments.acting import acting, actor
from instruments.audit_log import AuditLog, Stage
from instruments.bench import Bench
from instruments.errors import InstrumentError
from instruments.supply_reading import SupplyReading

logger = logging.getLogger(__name__)

EPISODE_S = 10.0
"""What is seen again within this time is still the same, and is not reported again."""
ACKNOWLEDGE = "find the cause, then run `joulebench supply acknowledge`"
"""What a person does about an alarm."""
DRY_RUN = "its output would have been switched off, were this no dry run"


class SupplyGuard:
    """The one who may switch the output off on his own."""

    def __init__(
        self,
        bench: Bench,
        *,
        bounds: SupplyBounds,
        reactions: Mapping[ConcernKind, ReactionChoice],
        alarms: AlarmFile,
        audit: AuditLog,
        lost_after_s: float,
    ) -> None:
        """Guard a bench's supply.

        Args:
            bench: the instruments.
            bounds: what readings are held against.
            reactions: what is done about each kind of concern.
            alarms: where what must be acknowledged is kept.
            audit: where what happens is written.
            lost_after_s: how long an instrument may be missing, in seconds.
        """
        self._bench = bench
        self._bounds = bounds
        self._reactions = reactions
        self._alarms = alarms
        self._audit = audit
        self._lost_after_s = lost_after_s
        self._seen_s: dict[ConcernKind, float] = {}
        self._history_is_ours = False
        self._missing_since_s: float | None = None
        self._lost_is_met = False
        self._debt: str | None = None

    def refuse_standing(self) -> None:
        """Refuse a run while an alarm stands.

        Raises:
            SupplyRefusal: with the first alarm, and how many there are.
        """
        if not (alarms := self._alarms.standing()):
            return
        more = f" (and {len(alarms) - 1} more)" if len(alarms) > 1 else ""
        raise SupplyRefusal("supply_alarm", f"{alarms[0].text}{more}; {ACKNOWLEDGE}")

    async def see(self, reading: SupplyReading) -> None:
        """Take a reading in which what was latched is too, and act on it.

        Raises:
            SupplyRefusal: the output was switched off because of it, or would be in a dry run.
        """
        with_events, self._history_is_ours = self._history_is_ours, True
        for concern in concerns_of(reading, self._bounds, with_events=with_events):
            await self._meet(concern, is_on=reading.output_on)

    async def missing(self, text: str) -> None:
        """Hear that an instrument did not come back; once that has lasted, act on it.

        Args:
            text: which, and how it failed.
        """
        if self._missing_since_s is None:
            self._missing_since_s = time.monotonic()
        missing_s = time.monotonic() - self._missing_since_s
        if missing_s < self._lost_after_s:
            return
        concern = Concern(kind=ConcernKind.LOST_INSTRUMENT, text=f"lost for {missing_s:.0f} s now: {text}")
        self._lost_is_met = True
        with suppress(SupplyRefusal):  # there is no run to end: none is taken while an instrument is missing
            await self._meet(concern, is_on=True)

    async def back(self) -> None:
        """Hear that every instrument answers, and do first what could not be done while one was missing.

        Raises:
            InstrumentError: the supply failed again.
        """
        self._missing_since_s = None
        self._lost_is_met = False
        self._seen_s.pop(ConcernKind.LOST_INSTRUMENT, None)
        if self._debt is not None:
            await self.pay()

    @property
    def is_in_debt(self) -> bool:
        """Whether the output is to be switched off, and could not be."""
        return self._debt is not None

    @property
    def is_waiting(self) -> bool:
        """Whether an instrument is missing, and a policy is still to act once that has lasted."""
        is_missing = self._missing_since_s is not None and not self._lost_is_met
        return is_missing and self._reactions[ConcernKind.LOST_INSTRUMENT] is not ReactionChoice.REPORT

    def owe(self, reason: str) -> None:
        """Have the output switched off as soon as the supply can be reached."""
        self._debt = reason

    async def pay(self) -> None:
        """Switch the output off where that is owed; an output that is off is left alone.

        Raises:
            InstrumentError: it could not be done; it stays owed.
        """
        reason = self._debt
        if reason is None:
            return
        with acting(reason=reason):
            if await self._bench.supply.is_on():
                await self._bench.supply.secure()
                logger.warning("the supply's output is off now (%s)", reason)
        self._debt = None

    async def note(self, action: str, **facts: Any) -> None:
        """Write into the audit log what happened beside the changes."""
        await asyncio.to_thread(self._audit.write_if_possible, Stage.EVENT, action, **facts)

    async def _meet(self, concern: Concern, *, is_on: bool) -> None:
        now_s = time.monotonic()
        is_new = now_s - self._seen_s.get(concern.kind, -EPISODE_S) >= EPISODE_S
        self._seen_s[concern.kind] = now_s
        reaction = ReactionChoice.REPORT if concern.is_handled else self._reactions[concern.kind]
        done = ""
        if reaction is ReactionChoice.OUTPUT_OFF:
            done = await self._switch_off(concern) if is_on else "its output is off already"
        # One that was acknowledged while it lasts is raised again.
        if is_new or (reaction is not ReactionChoice.REPORT and not self._alarms.standing()):
            logger.log(
                logging.WARNING if reaction is ReactionChoice.REPORT else logging.ERROR,
                "%s (safety.%s = %s)%s", concern.text, concern.kind.value, reaction.value, f"; {done}" if done else "",
            )  # fmt: skip
            await self._tell(concern, reaction, done)
        if reaction is ReactionChoice.OUTPUT_OFF:
            raise SupplyRefusal("supply_alarm", f"{concern.text}; {done}; {ACKNOWLEDGE}")

    async def _switch_off(self, concern: Concern) -> str:
        """Switch the output off; return what became of that."""
        reason = f"policy {concern.kind.value}"
        try:
            with acting(reason=reason):
                await self._bench.supply.secure()
        except InstrumentError as error:
            self.owe(reason)
            logger.error("the supply's output was to be switched off, and may be ON; look at it: %s", error)
            return "its output could not be switched off, and may be ON: it is as soon as the supply answers again"
        return DRY_RUN if self._bench.settings.dry_run else "its output is off"

    async def _tell(self, concern: Concern, reaction: ReactionChoice, done: str) -> None:
        await self.note(concern.kind.value, text=concern.text, reaction=reaction.value, outcome=done or None)
        if reaction is ReactionChoice.REPORT:
            return
        text = f"{concern.text}; {done}" if done else concern.text
        alarm = Alarm(kind=concern.kind.value, text=text, at_utc_ns=time.time_ns(), run_id=actor().run_id)
        await asyncio.to_thread(self._alarms.add, alarm)
