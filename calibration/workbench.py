"""Workbench: what every procedure does with the bench: captures, settled readings, and leaving all as it was found."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from calibration.bench_operator import Operator, Step
from calibration.certificate import CaptureUse, Provenance
from calibration.errors import ProcedureFailed
from calibration.supply_offset import supply_offset
from instruments.acting import act
from instruments.bench import Bench
from instruments.supply_reading import SupplyMode, SupplyReading
from metrology.capture import Capture
from metrology.errors import JoulebenchError
from metrology.estimate import Estimate

DAY_NS = 86_400_000_000_000
COMPLETE_MARGIN_S = 30.0
"""How much longer than its own length a record may take."""
SETTLED_A = 0.0005
"""Two readings of a settled current differ by no more than this."""
SETTLE_DEADLINE_S = 10.0
"""Longest wait for a current to settle."""
SUPPLY_OFFSET_LIMIT_A = 0.005
"""Largest offset of the supply's current read-back where no configuration says one: the data sheet's."""
UNLOADED_READINGS = 10
"""Read-backs that are averaged to tell whether nothing is drawn."""
UNLOADED_COVERAGE = 3.0
"""Standard deviations of that average that are allowed for beyond the limit."""
OUTPUT_LEFT_OFF = (
    "the supply's output was left off; look at the leads, connect the board as for runs, and switch the output on at "
    "the front panel"
)
"""What the operator must know after a procedure that was broken off."""

Keep = Callable[[str, Capture, Mapping[str, Any]], CaptureUse]
"""Stores a raw capture under an identifier, with further facts, and returns the reference to it."""
Progress = Callable[[str, int, int], None]
"""Told what is being done, how many steps are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """What a certificate says beside what was measured."""

    made_by: str = "unattended"
    """Who runs the procedure."""
    validity_days: float = 30.0
    """How long the certificate holds, in days."""
    serials: Mapping[str, str] = field(default_factory=dict)
    """Serial number by role, as entered."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Conditions of the room, as entered."""
    note: str = ""
    """Anything else."""


class Workbench:
    """A bench with an operator, a place for captures, and somebody who watches the progress."""

    def __init__(
        self,
        bench: Bench,
        operator: Operator,
        *,
        keep: Keep,
        particulars: Particulars | None = None,
        progress: Progress = lambda _text, _done, _total: None,
        settle_s: float = 0.2,
        supply_offset_limit_a: float = SUPPLY_OFFSET_LIMIT_A,
    ) -> None:
        """Put a workbench together.

        Args:
            bench: the instruments, open.
            operator: who changes the wiring.
            keep: stores raw captures.
            particulars: what certificates say beside what was measured.
            progress: told of every step.
            settle_s: time that two readings of a settled output lie apart, in seconds of the clock on the wall.
            supply_offset_limit_a: what the supply's current read-back may say while nothing is drawn, in amperes.
        """
        self.bench = bench
        self.operator = operator
        self.particulars = particulars or Particulars()
        self._keep = keep
        self._progress = progress
        self._settle_s = settle_s
        self._supply_offset_limit_a = supply_offset_limit_a
        self._uses: list[CaptureUse] = []
        self._name = ""
        self._done = self._total = 0

    def begin(self, procedure: str, *, steps: int) -> None:
        """Begin a procedure of so many steps of progress."""
        self._name = f"{procedure}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:8]}"
        act(procedure=self._name)
        self._uses, self._done, self._total = [], 0, steps

    def advance(self, text: str) -> None:
        """Tell that a step is done."""
        self._done += 1
        self._progress(text, self._done, max(self._total, self._done))

    @property
    def name(self) -> str:
        """Identifier of the procedure in hand, and of its certificate."""
        return self._name

    async def perform(self, step: Step) -> None:
        """Have the operator do a step."""
        await asyncio.to_thread(self.operator.perform, step)

    async def capture(self, label: str, **facts: Any) -> Capture:
        """Take, read and keep a record without an edge: one in which nothing happens."""
        await self.bench.arm()
        await self.bench.force()
        return await self._finished(label, facts)

    async def triggered_capture(self, label: str, step: Step) -> Capture:
        """Take, read and keep a record that starts when the operator's step makes the marker rise."""
        await self.bench.arm()
        await self.perform(step)
        return await self._finished(label, {})

    async def readings(self, count: int) -> list[SupplyReading]:
        """Return so many readings of the supply, one after the other."""
        return [await self.bench.read_supply() for _ in range(count)]

    async def settled(self, fits: Callable[[SupplyReading], bool], *, wanted: str) -> SupplyReading:
        """Wait until the supply's output fits and its current no longer moves.

        Raises:
            ProcedureFailed: not within the deadline.
        """
        end = time.monotonic() + SETTLE_DEADLINE_S
        before = await self.bench.read_supply()
        while True:
            await asyncio.sleep(self._settle_s)
            now = await self.bench.read_supply()
            if fits(now) and abs(now.current_a - before.current_a) <= SETTLED_A:
                return now
            if time.monotonic() >= end:
                found = f"{now.voltage_v:.4g} V, {now.current_a:.4g} A, {now.mode.value}"
                raise ProcedureFailed(self._name, f"the supply does not come to {wanted}: {found}; check the wiring")
            before = now

    async def settled_without_load(self) -> Estimate:
        """Wait for an output in constant voltage from which nothing flows; return the read-back's offset, in amperes.

        A load that draws less than the limit of the offset passes for offset.

        Raises:
            ProcedureFailed: the output does not settle, or more flows than the read-back's offset can be.
        """
        await self.settled(lambda now: now.mode is SupplyMode.CV, wanted="constant voltage with nothing drawn")
        offset_a = supply_offset([one.current_a for one in await self.readings(UNLOADED_READINGS)])
        bound_a = self._supply_offset_limit_a + UNLOADED_COVERAGE * offset_a.standard_uncertainty
        if abs(offset_a.value) > bound_a:
            raise ProcedureFailed(self._name, _drawing(offset_a.value, self._supply_offset_limit_a))
        return offset_a

    @asynccontextmanager
    async def rewired(self, *steps: Step, back: Step) -> AsyncIterator[None]:
        """Have the wiring changed with the output off, and changed back afterwards, the supply as it was found.

        After a failure the output stays off, since nobody knows what hangs on the leads, and that is said: in the
        error, or as progress where no error tells the operator why (Ctrl-C).

        Raises:
            ProcedureFailed: anything failed meanwhile; it says so, and that the output was left off.
        """
        found = await self.bench.supply_set_points()
        was_on = (await self.bench.read_supply()).output_on
        await self.bench.set_supply_output(False, settle=False)
        try:
            for step in steps:
                await self.perform(step)
            yield
            await self._restore_set_points(found)
            await self.perform(back)
        except JoulebenchError as error:
            problem = error.problem if isinstance(error, ProcedureFailed) else str(error)
            raise ProcedureFailed(self._name, f"{problem}; {await self._leave_off(found)}") from error
        except BaseException:
            self._progress(await self._leave_off(found), self._done, max(self._total, self._done))
            raise
        if was_on:
            await self.bench.set_supply_output(True)

    async def _restore_set_points(self, found: tuple[float, float]) -> None:
        """Switch the output off, and set voltage and current limit as they were found."""
        voltage_v, current_a = found
        await self.bench.set_supply_output(False, settle=False)
        await self.bench.set_supply(voltage_v=voltage_v, current_a=current_a, settle=False)

    async def _leave_off(self, found: tuple[float, float]) -> str:
        """Leave the output off after a failure; return what the operator must know of it."""
        try:
            await self._restore_set_points(found)
        except JoulebenchError as error:
            return (
                f"the supply could not be switched off and set back ({error}); switch its output off at the front "
                "panel before you touch the leads"
            )
        return OUTPUT_LEFT_OFF

    def header(self) -> dict[str, Any]:
        """Return the fields that every certificate has."""
        made_ns = time.time_ns()
        return {
            "certificate_id": self._name,
            "made_utc_ns": made_ns,
            "valid_from_utc_ns": made_ns,
            "valid_until_utc_ns": made_ns + round(self.particulars.validity_days * DAY_NS),
            "provenance": Provenance(
                procedure=self._name.split("-", 1)[0],
                made_by=self.particulars.made_by,
                software_version=version("joulebench"),
                instruments=self.bench.identities,
                serials=self.particulars.serials,
                environment=self.particulars.environment,
                captures=tuple(self._uses),
                note=self.particulars.note,
            ),
        }

    async def _finished(self, label: str, facts: Mapping[str, Any]) -> Capture:
        await self.bench.wait_complete(deadline_s=self.bench.settings.record_s + COMPLETE_MARGIN_S, poll_s=0.005)
        capture = await self.bench.read_capture()
        use = await asyncio.to_thread(self._keep, f"{self._name}-{label}"[:64], capture, facts)
        self._uses.append(use)
        return capture


def _drawing(mean_a: float, limit_a: float) -> str:
    return (
        f"the supply reads {1e3 * mean_a:.1f} mA where nothing is to be drawn, and its offset lies within "
        f"±{1e3 * limit_a:g} mA (power_supply.current_readback_limit_a): something is still connected; disconnect the "
        "board and whatever else hangs on the leads, and calibrate again"
    )
