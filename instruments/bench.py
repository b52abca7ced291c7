"""Bench: oscilloscope, probe and supply as one asynchronous whole, each instrument on its own thread."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace

from instruments.attendant import Attendant
from instruments.bench_settings import BenchSettings
from instruments.bench_supply import BenchSupply
from instruments.connector import Connector, VisaConnector
from instruments.current_probe import CurrentProbe
from instruments.errors import BenchNotReady, InstrumentError, InstrumentTimeout, NotTriggered
from instruments.front_panel import FrontPanel
from instruments.installed_driver import oscilloscope_maker
from instruments.operation import Operation
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.recovery import Recovery
from instruments.supply_reading import SupplyReading
from instruments.visa_session import VisaSession
from metrology.capture import Capture
from metrology.clock_windows import ForcedTrigger

logger = logging.getLogger(__name__)

QUESTIONS_PER_CALL = 60
"""Most questions that one call asks of an instrument; with `timeout_s` each they bound the call."""
CLOSE_MARGIN_S = 1.0
"""What is allowed for closing beyond two answers: an adapter is waited for a little longer than its instrument."""
RECOVERY_ANSWERS = 6
"""So many answers that never come are waited for while an instrument is brought back: one or two at each step."""
RECOVERY_MARGIN_S = 6.0
"""What is allowed beyond them: for a connection to be made (`OPEN_TIMEOUT_S`), and some."""
ARM_MARGIN_S = 3.0
"""Time allowed for arming beyond the pre-trigger time."""
FORCE_DEADLINE_S = 1.0
"""Longest time that a forced trigger may take."""
ARM_POLL_S = 0.005
"""Time between two questions whether the oscilloscope is armed."""


class Bench:
    """The instruments of one bench. Open it, prepare it once a run, then arm, wait and read once a capture."""

    def __init__(
        self,
        settings: BenchSettings,
        *,
        connector: Connector | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Take the settings.

        Args:
            settings: which instruments, and what is wired where.
            connector: makes the sessions; None: through PyVISA.
            monotonic_ns: the lab's clock: the world's where a simulated one runs faster than ours.
        """
        self.settings = settings
        self._connector = connector or VisaConnector()
        self._monotonic_ns = monotonic_ns
        deadline_s = QUESTIONS_PER_CALL * settings.timeout_s
        close_s = 2 * settings.timeout_s + CLOSE_MARGIN_S
        recovery_s = RECOVERY_ANSWERS * settings.timeout_s + RECOVERY_MARGIN_S
        self._scope: Attendant[OscilloscopeDriver] = Attendant(
            "oscilloscope", self._connect_oscilloscope,
            deadline_s=deadline_s, close_deadline_s=close_s, recovery_deadline_s=recovery_s,
        )  # fmt: skip
        self.supply = BenchSupply(
            settings, self._connector,
            deadline_s=deadline_s, close_deadline_s=close_s, recovery_deadline_s=recovery_s,
        )  # fmt: skip
        """The supply, for what `Bench` itself has no verb for."""
        self._identities: dict[str, str] = {}
        self._panel: FrontPanel | None = None
        self._entrusted = False  # whether the instruments were ours since they were last left as the settings say
        self._forced = False

    @property
    def probe(self) -> CurrentProbe:
        """The current probe as declared."""
        return self.settings.probe

    @property
    def identities(self) -> Mapping[str, str]:
        """Identity string of each open instrument, by its role; empty while the bench is closed."""
        return dict(self._identities)

    async def __aenter__(self) -> "Bench":
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def open(self) -> Mapping[str, str]:
        """Open every instrument and identify it; nothing that changes a live output is sent.

        Returns:
            Identity string by role: `oscilloscope`, `power_supply`, `probe`.

        Raises:
            BenchNotReady: one or more instruments failed; all failures are listed, and the bench is closed again.
        """
        await self._disconnect()
        try:
            identities = await self._learn_identities(self._scope.open(), self.supply.open())
        except BaseException:
            await self._disconnect()
            raise
        self._entrusted = True
        return identities

    async def identify(self) -> Mapping[str, str]:
        """Ask every open instrument who it is, so that a lost one is found.

        Raises:
            BenchNotReady: one or more did not answer as they should; all failures are listed.
        """
        return await self._learn_identities(
            self._scope.call(OscilloscopeDriver.identify), self.supply.attendant.call(PowerSupplyDriver.identify)
        )

    async def recover(self) -> tuple[Recovery, ...]:
        """Bring every instrument back after a failure, each by the least drastic step that works.

        Returns:
            How each came back; where one did not, the bench must be opened again.
        """
        # Until they are back nobody may count on them: who closes the bench meanwhile opens them first.
        known, self._identities = self._identities, {}
        recoveries = await asyncio.gather(self._scope.recover(), self.supply.attendant.recover())
        if all(one.failure is None for one in recoveries):
            self._identities = known
        return tuple(recoveries)

    async def prepare(self, *, edge: bool = True) -> Mapping[str, str]:
        """Program the oscilloscope and read every setting back; before the first time, keep what it is set to.

        Args:
            edge: an edge triggers as the settings say; False: none does, so that a record begins only by force.

        Returns:
            Settings as read back, by header.

        Raises:
            SettingRefused: a setting was not taken as it was sent.
            InstrumentReported: the oscilloscope's error queue was not empty.
        """
        if self.settings.restore_front_panel and self._panel is None:
            self._panel = await self._scope.call(OscilloscopeDriver.front_panel)
        settings = self.settings.oscilloscope_settings
        return await self._scope.call(
            OscilloscopeDriver.configure, settings if edge else replace(settings, trigger=self.settings.no_edge)
        )

    async def arm(self, deadline_s: float | None = None) -> None:
        """Start a single acquisition and wait until it takes a trigger; None allows pre-trigger time and a margin.

        Raises:
            InstrumentTimeout: not armed within the deadline.
        """
        limit_s = self.settings.pretrigger_s + ARM_MARGIN_S if deadline_s is None else deadline_s
        self._forced = False
        await self._scope.call(OscilloscopeDriver.start_single)
        if not await self._poll(OscilloscopeDriver.is_armed, limit_s=limit_s, poll_s=ARM_POLL_S):
            condition = await self._scope.call(OscilloscopeDriver.condition)
            text = f"not armed within {limit_s:g} s (last condition {condition!r})"
            raise InstrumentTimeout(text, instrument="oscilloscope", operation="arm")

    async def is_complete(self) -> bool:
        """Tell whether the record is complete."""
        return await self._scope.call(OscilloscopeDriver.is_complete)

    async def wait_complete(self, *, deadline_s: float, poll_s: float = 0.02) -> None:
        """Wait until the record is complete, by polling.

        Raises:
            NotTriggered: no trigger within the deadline, or the acquisition was stopped before one came.
            InstrumentTimeout: triggered, but not complete within the deadline.
        """
        if not await self._poll(OscilloscopeDriver.is_complete, limit_s=deadline_s, poll_s=poll_s):
            raise await self._incomplete(deadline_s)
        if not self._forced and not await self._scope.call(OscilloscopeDriver.triggered):
            text = "the acquisition ended without a trigger; was it stopped at the front panel?"
            raise NotTriggered(text, instrument="oscilloscope", operation="wait_complete")

    async def read_capture(self) -> Capture:
        """Read the completed record in its fixed order.

        Raises:
            BadBlock: a block is truncated, or the sources do not lie on one time axis.
        """
        return await self._scope.call(
            OscilloscopeDriver.read_capture,
            marker_bit=self.settings.marker_bit or 0,
            instruments={role: identity for role, identity in self._identities.items() if role != "oscilloscope"},
            taken_utc_ns=time.time_ns(),
        )

    async def read_screen(self) -> bytes:
        """Return an image of the oscilloscope's screen as a PNG file; not while an acquisition runs.

        Raises:
            BadBlock: the image is truncated, or none.
        """
        return await self._scope.call(OscilloscopeDriver.screen_png)

    async def read_supply(self, *, take_events: bool = True) -> SupplyReading:
        """Measure the supply's output, as `BenchSupply.read` says."""
        return await self.supply.read(take_events=take_events)

    async def reported_errors(self) -> Mapping[str, list[str]]:
        """Return what stands in the error queue of each instrument, by role, oldest first; all are empty then."""
        scope, supply = await asyncio.gather(self._scope.reported_errors(), self.supply.attendant.reported_errors())
        return {self._scope.role: scope, self.supply.attendant.role: supply}

    async def supply_errors(self) -> list[str]:
        """Return what stands in the supply's error queue, oldest first; it is empty then."""
        return await self.supply.attendant.reported_errors()

    async def supply_set_points(self) -> tuple[float, float]:
        """Return the supply's programmed voltage in volt and current limit in ampere."""
        return await self.supply.set_points()

    async def set_supply(
        self,
        *,
        voltage_v: float | None = None,
        current_a: float | None = None,
        ovp_v: float | None = None,
        settle: bool = True,
    ) -> None:
        """Set the supply's voltage, current limit or protection; what is None stays. As `BenchSupply.set` says."""
        await self.supply.set(voltage_v=voltage_v, current_a=current_a, ovp_v=ovp_v, settle=settle)

    async def clear_supply_trip(self) -> None:
        """Clear the supply's over-voltage protection, and switch the output on, as `BenchSupply.clear_trip` says."""
        await self.supply.clear_trip()

    async def set_supply_output(self, on: bool, *, settle: bool = True) -> None:
        """Switch the supply's output, as `BenchSupply.set_output` says."""
        await self.supply.set_output(on, settle=settle)

    async def force(self) -> ForcedTrigger:
        """Complete the armed acquisition without an edge; return between which times the trigger came.

        Raises:
            InstrumentTimeout: the oscilloscope did not take it.
        """
        self._forced = True
        return await self._scope.call(
            OscilloscopeDriver.force_and_see, deadline_s=FORCE_DEADLINE_S, monotonic_ns=self._monotonic_ns
        )

    async def waits_for_trigger(self) -> bool:
        """Tell whether the oscilloscope is armed and no trigger has come."""
        return bool(await self._scope.call(OscilloscopeDriver.condition) & Operation.WAIT_TRIGGER)

    async def stop(self) -> None:
        """End the acquisition, whatever its state."""
        await self._scope.call(OscilloscopeDriver.stop)

    async def close(self) -> None:
        """Leave the instruments as the settings say, and close them; safe to call again.

        The oscilloscope is given back as it was found, the supply's output left or switched off. What fails is logged.
        """
        if self._entrusted:
            self._entrusted = False
            await asyncio.gather(self._give_back_oscilloscope(), self.supply.leave(is_open=bool(self._identities)))
        await self._disconnect()

    async def _give_back_oscilloscope(self) -> None:
        """Set the front panel as it was; where that fails it is kept, for the next time that this bench closes."""
        if self._panel is None:
            return
        try:
            if not self._identities:
                await self._scope.open()
            await self._scope.call(OscilloscopeDriver.set_front_panel, self._panel)
            self._panel = None
        except InstrumentError as error:
            logger.warning("the oscilloscope keeps the bench's settings, its own could not be restored: %s", error)

    async def _disconnect(self) -> None:
        self._identities = {}
        await asyncio.gather(self._scope.close(), self.supply.attendant.close())

    async def _learn_identities(self, scope: Awaitable[str], supply: Awaitable[str]) -> Mapping[str, str]:
        results = await asyncio.gather(scope, supply, return_exceptions=True)
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise _not_ready(failures)
        roles = (self._scope.role, self.supply.attendant.role)
        self._identities = {**dict(zip(roles, map(str, results), strict=True)), "probe": self.probe.model}
        return self.identities

    async def _poll(self, question: Callable[[OscilloscopeDriver], bool], *, limit_s: float, poll_s: float) -> bool:
        end = time.monotonic() + limit_s
        while not await self._scope.call(question):
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(poll_s)
        return True

    async def _incomplete(self, deadline_s: float) -> InstrumentError:
        condition = await self._scope.call(OscilloscopeDriver.condition)
        if condition & Operation.WAIT_TRIGGER:
            text = f"no trigger within {deadline_s:g} s (condition {condition!r}); is the marker wired?"
            return NotTriggered(text, instrument="oscilloscope", operation="wait_complete")
        text = f"record not complete within {deadline_s:g} s (condition {condition!r})"
        return InstrumentTimeout(text, instrument="oscilloscope", operation="wait_complete")

    def _connect_oscilloscope(self, stack: ExitStack) -> tuple[OscilloscopeDriver, VisaSession]:
        settings = self.settings
        maker = oscilloscope_maker(settings.oscilloscope_driver)
        resource, timeout_s = settings.oscilloscope_resource, settings.timeout_s
        session = self._connector.connect(stack, resource, role=self._scope.role, timeout_s=timeout_s)
        return maker(session), session


def _not_ready(failures: list[BaseException]) -> BaseException:
    expected = [failure for failure in failures if isinstance(failure, InstrumentError)]
    foreign = [failure for failure in failures if not isinstance(failure, InstrumentError)]
    return foreign[0] if foreign else BenchNotReady(expected)
