"""Bench: oscilloscope, probe and supply as one asynchronous whole, each instrument on its own thread."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from instruments.bench_settings import BenchSettings
from instruments.current_probe import CurrentProbe
from instruments.errors import BenchNotReady, ConnectionFailed, InstrumentError, InstrumentTimeout, NotTriggered
from instruments.oscilloscope import Operation, Oscilloscope
from instruments.power_supply import PowerSupply
from instruments.prologix_adapter import PrologixAdapter
from instruments.supply_reading import SupplyReading
from instruments.visa_session import VisaSession
from instruments.worker import InstrumentWorker
from metrology.capture import Capture

T = TypeVar("T")

QUESTIONS_PER_CALL = 60
"""Most questions that one call asks of an instrument; with `timeout_s` each they bound the call."""
ARM_MARGIN_S = 3.0
"""Time allowed for arming beyond the pre-trigger time."""
ARM_POLL_S = 0.005
"""Time between two questions whether the oscilloscope is armed."""


class Bench:
    """The instruments of one bench. Open it, prepare it once a run, then arm, wait and read once a capture."""

    def __init__(self, settings: BenchSettings) -> None:
        self.settings = settings
        self._workers: dict[str, InstrumentWorker] = {}
        self._adapter: PrologixAdapter | None = None
        self._oscilloscope: Oscilloscope | None = None
        self._supply: PowerSupply | None = None
        self._identities: dict[str, str] = {}
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
        """Open and identify every instrument; nothing that changes a live output is sent.

        Returns:
            Identity string by role: `oscilloscope`, `power_supply`, `probe`.

        Raises:
            BenchNotReady: one or more instruments failed; all failures are listed, and the bench is closed again.
        """
        await self.close()
        self._workers = {role: InstrumentWorker(role) for role in ("oscilloscope", "power_supply")}
        results = await asyncio.gather(
            self._call("oscilloscope", self._open_oscilloscope),
            self._call("power_supply", self._open_supply),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self.close()
            raise _not_ready(failures)
        self._identities = {**dict(zip(self._workers, map(str, results), strict=True)), "probe": self.probe.model}
        return self.identities

    async def identify(self) -> Mapping[str, str]:
        """Ask every open instrument who it is, so that a lost one is found.

        Raises:
            BenchNotReady: one or more did not answer as they should; all failures are listed.
        """
        results = await asyncio.gather(
            self._call("oscilloscope", self._scope.identify),
            self._call("power_supply", self._power.identify),
            return_exceptions=True,
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            raise _not_ready(failures)
        self._identities = {**dict(zip(self._workers, map(str, results), strict=True)), "probe": self.probe.model}
        return self.identities

    async def prepare(self) -> Mapping[str, str]:
        """Program the oscilloscope and read every setting back.

        Returns:
            Settings as read back, by header.

        Raises:
            SettingRefused: a setting was not taken as it was sent.
            InstrumentReported: the oscilloscope's error queue was not empty.
        """
        return await self._call("oscilloscope", self._scope.configure, self.settings.oscilloscope_settings)

    async def arm(self, deadline_s: float | None = None) -> None:
        """Start a single acquisition and wait until it takes a trigger; None allows pre-trigger time and a margin.

        Raises:
            InstrumentTimeout: not armed within the deadline.
        """
        limit_s = self.settings.pretrigger_s + ARM_MARGIN_S if deadline_s is None else deadline_s
        self._forced = False
        await self._call("oscilloscope", self._scope.start_single)
        if not await self._poll(self._scope.is_armed, limit_s=limit_s, poll_s=ARM_POLL_S):
            raise await self._call("oscilloscope", self._scope.not_armed, limit_s)

    async def is_complete(self) -> bool:
        """Tell whether the record is complete."""
        return await self._call("oscilloscope", self._scope.is_complete)

    async def wait_complete(self, *, deadline_s: float, poll_s: float = 0.02) -> None:
        """Wait until the record is complete, by polling.

        Raises:
            NotTriggered: no trigger within the deadline, or the acquisition was stopped before one came.
            InstrumentTimeout: triggered, but not complete within the deadline.
        """
        if not await self._poll(self._scope.is_complete, limit_s=deadline_s, poll_s=poll_s):
            raise await self._incomplete(deadline_s)
        if not self._forced and not await self._call("oscilloscope", self._scope.triggered):
            text = "the acquisition ended without a trigger; was it stopped at the front panel?"
            raise NotTriggered(text, instrument="oscilloscope", operation="wait_complete")

    async def read_capture(self) -> Capture:
        """Read the completed record in its fixed order.

        Raises:
            BadBlock: a block is truncated, or the sources do not lie on one time axis.
        """
        taken_utc_ns = time.time_ns()
        others = {role: identity for role, identity in self._identities.items() if role != "oscilloscope"}
        marker_bit = self.settings.marker_bit or 0

        def read_capture() -> Capture:
            return self._scope.read_capture(marker_bit=marker_bit, instruments=others, taken_utc_ns=taken_utc_ns)

        return await self._call("oscilloscope", read_capture)

    async def read_supply(self) -> SupplyReading:
        """Measure the supply's output; what happened since the last reading is in it, and is then forgotten."""
        return await self._call("power_supply", self._power.read_state)

    async def set_supply(self, *, voltage_v: float | None = None, current_a: float | None = None) -> None:
        """Set the supply's voltage, current limit, or both, and wait for the output to follow where it is on.

        Raises:
            InstrumentTimeout: the output did not reach the voltage.
            SettingRefused: outside the envelope or the range (nothing was sent), or not taken as sent.
        """

        def set_point() -> None:
            self._power.set_point(voltage_v=voltage_v, current_a=current_a)
            self._power.settle()

        await self._call("power_supply", set_point)

    async def set_supply_output(self, on: bool) -> None:
        """Switch the supply's output, and wait for its voltage where it is switched on.

        Raises:
            InstrumentTimeout: the output did not reach the voltage.
            SettingRefused: what is set lies outside the envelope, so the output is not switched on.
        """

        def set_output() -> None:
            self._power.set_output(on)
            self._power.settle()

        await self._call("power_supply", set_output)

    async def force(self) -> None:
        """Complete the armed acquisition without an edge."""
        self._forced = True
        await self._call("oscilloscope", self._scope.force_trigger)

    async def stop(self) -> None:
        """End the acquisition, whatever its state."""
        await self._call("oscilloscope", self._scope.stop)

    async def close(self) -> None:
        """Close every instrument, leaving its output and settings as they are; safe to call again."""
        workers, self._workers = self._workers, {}
        for role, close in (("oscilloscope", self._close_oscilloscope), ("power_supply", self._close_supply)):
            if role in workers:
                await self._close_worker(workers[role], close)
        self._identities = {}

    async def _close_worker(self, worker: InstrumentWorker, close: Callable[[], None]) -> None:
        try:
            await worker.run(close, deadline_s=2 * self.settings.timeout_s)
        except InstrumentTimeout:
            worker.close(wait=False)  # it hangs in a read that ends with its own time-out
        else:
            worker.close()

    async def _call(self, role: str, function: Callable[..., T], *arguments: Any) -> T:
        worker = self._workers.get(role)
        if worker is None:
            raise ConnectionFailed("the bench is closed", instrument=role)
        return await worker.run(function, *arguments, deadline_s=QUESTIONS_PER_CALL * self.settings.timeout_s)

    async def _poll(self, question: Callable[[], bool], *, limit_s: float, poll_s: float) -> bool:
        end = time.monotonic() + limit_s
        while not await self._call("oscilloscope", question):
            if time.monotonic() >= end:
                return False
            await asyncio.sleep(poll_s)
        return True

    async def _incomplete(self, deadline_s: float) -> InstrumentError:
        condition = await self._call("oscilloscope", self._scope.condition)
        if condition & Operation.WAIT_TRIGGER:
            text = f"no trigger within {deadline_s:g} s (condition {condition!r}); is the marker wired?"
            return NotTriggered(text, instrument="oscilloscope", operation="wait_complete")
        text = f"record not complete within {deadline_s:g} s (condition {condition!r})"
        return InstrumentTimeout(text, instrument="oscilloscope", operation="wait_complete")

    @property
    def _scope(self) -> Oscilloscope:
        if self._oscilloscope is None:
            raise ConnectionFailed("the bench is closed", instrument="oscilloscope")
        return self._oscilloscope

    @property
    def _power(self) -> PowerSupply:
        if self._supply is None:
            raise ConnectionFailed("the bench is closed", instrument="power_supply")
        return self._supply

    def _open_oscilloscope(self) -> str:
        session = VisaSession.open(
            self.settings.oscilloscope_resource, role="oscilloscope", timeout_s=self.settings.timeout_s
        )
        self._oscilloscope = Oscilloscope(session)
        return self._oscilloscope.identify()

    def _open_supply(self) -> str:
        settings = self.settings
        if settings.gpib_adapter_resource is not None:
            self._adapter = PrologixAdapter(settings.gpib_adapter_resource, read_timeout_s=min(3.0, settings.timeout_s))
        session = VisaSession.open(
            settings.power_supply_resource, role="power_supply", timeout_s=settings.timeout_s, adapter=self._adapter
        )
        self._supply = PowerSupply(session, settings.envelope)
        return self._supply.identify()

    def _close_oscilloscope(self) -> None:
        oscilloscope, self._oscilloscope = self._oscilloscope, None
        if oscilloscope is not None:
            oscilloscope.session.close()

    def _close_supply(self) -> None:
        supply, self._supply = self._supply, None
        if supply is not None:
            supply.session.close()
        adapter, self._adapter = self._adapter, None
        if adapter is not None:
            adapter.close()


def _not_ready(failures: list[BaseException]) -> BaseException:
    foreign = next((failure for failure in failures if not isinstance(failure, InstrumentError)), None)
    if foreign is not None:
        return foreign
    return BenchNotReady([failure for failure in failures if isinstance(failure, InstrumentError)])
