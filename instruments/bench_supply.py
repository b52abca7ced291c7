"""Bench supply: the power supply of a bench, on its own thread: set, switched, read, and left as the settings say."""

import logging
from contextlib import ExitStack
from dataclasses import replace

from instruments.attendant import Attendant
from instruments.audit_log import AuditLog
from instruments.bench_settings import POWER_SUPPLY_DRIVER, BenchSettings, OutputOnExit
from instruments.connector import Connector
from instruments.errors import InstrumentError
from instruments.installed_driver import power_supply_maker
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.questions_only import QuestionsOnly
from instruments.soft_start import soft_start
from instruments.supply_gate import SupplyGate
from instruments.supply_reading import Questionable, SupplyReading
from instruments.switch_off import switch_off
from instruments.visa_session import VisaSession

logger = logging.getLogger(__name__)

ROLE = "power_supply"


class BenchSupply:
    """The supply as bench and runs use it; `attendant` opens, recovers and closes it."""

    def __init__(
        self,
        settings: BenchSettings,
        connector: Connector,
        *,
        deadline_s: float,
        close_deadline_s: float,
        recovery_deadline_s: float,
    ) -> None:
        """Take charge of a supply that is not open yet.

        Args:
            settings: of the bench.
            connector: makes the session.
            deadline_s: longest time of one call.
            close_deadline_s: longest time of closing it.
            recovery_deadline_s: longest time of bringing it back after a failure.
        """
        self._settings = settings
        self._connector = connector
        self._settling_events = Questionable(0)
        directory = settings.audit_directory
        self.audit = None if directory is None else AuditLog(directory, bench=settings.name)
        """Where every change is written down."""
        self.is_left_as_told = True
        """False where the output was to be switched off when the bench closed, and may be on."""
        self.attendant: Attendant[PowerSupplyDriver] = Attendant(
            ROLE,
            self._connect,
            deadline_s=deadline_s,
            close_deadline_s=close_deadline_s,
            recovery_deadline_s=recovery_deadline_s,
        )
        """The supply's own thread."""

    async def open(self) -> str:
        """Open it, and return its identity; nothing that changes its output is sent.

        Raises:
            InstrumentError: no connection, or the wrong instrument.
        """
        self._settling_events = Questionable(0)
        return await self.attendant.open()

    async def read(self, *, take_events: bool = True) -> SupplyReading:
        """Measure the output; what happened since the last reading is in it, and is then forgotten.

        Args:
            take_events: False leaves what is latched for whoever measures.
        """
        reading = await self.attendant.call(PowerSupplyDriver.read_state, take_events=take_events)
        if not take_events:
            return reading
        before, self._settling_events = self._settling_events, Questionable(0)
        return replace(reading, events=reading.events | before, settled_events=reading.events) if before else reading

    async def set_points(self) -> tuple[float, float]:
        """Return the programmed voltage in volt and current limit in ampere."""
        return await self.attendant.call(PowerSupplyDriver.set_points)

    async def set(self, *, voltage_v: float | None, current_a: float | None, ovp_v: float | None, settle: bool) -> None:
        """Set the voltage, current limit and protection, and wait for the output to follow where it is on.

        Args:
            voltage_v: voltage; None leaves it.
            current_a: current limit; None leaves it.
            ovp_v: level of the over-voltage protection, which is switched on; None leaves it.
            settle: wait for the voltage; not where the limit is meant to hold the output down.

        Raises:
            InstrumentTimeout: the output did not reach the voltage.
            SettingRefused: outside the envelope or the range (nothing was sent), or not taken as sent.
        """
        if ovp_v is None:
            await self.attendant.call(PowerSupplyDriver.set_point, voltage_v=voltage_v, current_a=current_a)
        else:
            await self.attendant.call(
                PowerSupplyDriver.set_protected_point, voltage_v=voltage_v, current_a=current_a, ovp_v=ovp_v
            )
        if settle and not self._settings.dry_run:
            await self._settle()

    async def clear_trip(self) -> None:
        """Clear the over-voltage protection after it has tripped, and switch the output on as ever.

        Raises:
            InstrumentTimeout: the output did not reach the voltage.
            SettingRefused: what is set lies outside the envelope, so the output stays down; or it tripped again.
            SoftStartAborted: it rose slowly, and had to be switched off again on the way.
        """
        await self.attendant.call(PowerSupplyDriver.set_output, False)
        await self.attendant.call(PowerSupplyDriver.clear_trip)
        await self.set_output(True, settle=True)

    async def set_output(self, on: bool, *, settle: bool) -> None:
        """Switch the output, and wait for its voltage where it is switched on (`settle` as above).

        It rises slowly where the settings say so and its voltage is waited for: what a limit is meant to hold down is
        no board that must be spared, and could not be told from one that draws too much.

        Raises:
            InstrumentTimeout: the output did not reach the voltage.
            SettingRefused: what is set lies outside the envelope, so the output is not switched on.
            SoftStartAborted: it rose slowly, and had to be switched off again on the way.
        """
        if self._settings.dry_run:
            await self.attendant.call(PowerSupplyDriver.set_output, on)
            return
        if on and settle and self._settings.soft_start_s > 0:
            await soft_start(self.attendant, duration_s=self._settings.soft_start_s)
        else:
            await self.attendant.call(PowerSupplyDriver.set_output, on)
        if settle:
            await self._settle()

    async def is_on(self) -> bool:
        """Tell whether the output is switched on; the supply is opened for that where it is not open.

        Raises:
            InstrumentError: it cannot be asked.
        """
        await self._be_open()
        return (await self.read(take_events=False)).output_on

    async def secure(self) -> None:
        """Switch the output off, whatever state the bench is in; the supply is opened for that where it is not open.

        Raises:
            InstrumentError: it could not be done; the output may be on.
        """
        await self._be_open()
        await switch_off(self.attendant)

    async def _be_open(self) -> None:
        if not self.attendant.is_open:
            await self.open()

    async def leave(self, *, is_open: bool) -> None:
        """Leave the output as the settings say on the bench's closing; what fails is logged.

        Args:
            is_open: False: it was lost on the way, and could not be opened again.
        """
        if self._settings.output_on_exit is not OutputOnExit.OFF:
            return
        self.is_left_as_told = False
        try:
            if not is_open:
                await self.open()
            await switch_off(self.attendant)
            self.is_left_as_told = True
        except InstrumentError as error:
            logger.error("the supply's output was to be switched off, and may be ON; look at it: %s", error)

    async def _settle(self) -> None:
        """Wait for the output's voltage; what was latched until then is told, and kept for the next reading."""
        await self.attendant.call(PowerSupplyDriver.settle)
        reading = await self.attendant.call(PowerSupplyDriver.read_state, take_events=True)
        self._settling_events |= reading.events
        if reading.cc_excursion:
            logger.warning("the supply has limited its current since it was last read, as late as while it settled")

    def _connect(self, stack: ExitStack) -> tuple[PowerSupplyDriver, VisaSession]:
        settings = self._settings
        maker = power_supply_maker(settings.power_supply_driver)
        session = self._connector.connect(
            stack,
            settings.power_supply_resource,
            role=ROLE,
            timeout_s=settings.timeout_s,
            gpib_adapter=settings.gpib_adapter_resource,
            line=settings.serial_line,
        )
        if settings.dry_run and settings.power_supply_driver == POWER_SUPPLY_DRIVER:
            # Behind the gate, so that not even a defect of the driver gets through; other drivers' dialects are theirs.
            session = VisaSession(QuestionsOnly(session.connection))
        driver = maker(session, settings.envelope)
        return SupplyGate(driver, envelope=settings.envelope, audit=self.audit, dry_run=settings.dry_run), session
