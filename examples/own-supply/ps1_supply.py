"""Driver of the PS-1, an invented power supply with one range and the usual SCPI commands: a pattern for your own.

What is particular to the PS-1 are the constants and the bits below; take yours from the supply's manual.
"""

import time

from instruments.errors import InstrumentTimeout, SettingRefused
from instruments.identity import expect_model
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.setting import Setting, program
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading
from instruments.visa_session import VisaSession

VENDORS = ("EXAMPLE INSTRUMENTS",)
"""How the maker writes itself, in capitals."""
MODELS = ("PS-1",)
"""Models that this driver speaks to."""
MAX_VOLTAGE_V, MAX_CURRENT_A, MAX_OVP_V = 30.0, 2.0, 33.0
"""What can be programmed."""
VOLTAGE_STEP_V, CURRENT_STEP_A = 0.001, 0.001
"""How far a set-point may be read back from the one sent."""
SETTLED_V = 0.02
"""How far a settled output may be measured from the set voltage."""
SETTLE_DEADLINE_S, SETTLE_POLL_S = 5.0, 0.02

CONSTANT_VOLTAGE, CONSTANT_CURRENT = 256, 1024
"""Bits of its operation status register."""
OVER_VOLTAGE, OVER_TEMPERATURE = 1, 16
"""Bits of its questionable status register."""


class Ps1Supply:
    """A PS-1 at the other end of a session."""

    def __init__(self, session: VisaSession, envelope: SupplyEnvelope) -> None:
        self.session = session
        self.envelope = envelope

    def identify(self) -> str:
        """Get the identity string.

        Raises:
            WrongInstrument: something else answers.
        """
        return expect_model(self.session, MODELS, VENDORS)

    def read_state(self, *, take_events: bool = True) -> SupplyReading:
        """Measure the voltage and current; get regulation, switch, trip, and what was latched since the last call."""
        output_on = self._register("OUTPut?") != 0
        tripped = bool(self._register("STATus:QUEStionable:CONDition?") & OVER_VOLTAGE)
        return SupplyReading(
            voltage_v=self.session.query_number("MEASure:VOLTage?"),
            current_a=self.session.query_number("MEASure:CURRent?"),
            mode=self._mode(driven=output_on and not tripped),
            output_on=output_on,
            ovp_tripped=tripped,
            events=self._events() if take_events else Questionable(0),
        )

    def set_points(self) -> tuple[float, float]:
        """Get the programmed voltage in volt and current limit in ampere."""
        return self.session.query_number("VOLTage?"), self.session.query_number("CURRent?")

    def set_point(self, *, voltage_v: float | None = None, current_a: float | None = None) -> None:
        """Set the voltage in volt, the current limit in ampere, or both; what is None stays.

        Raises:
            InstrumentReported: the supply refused.
            SettingRefused: outside the envelope or the supply's range (nothing was sent), or read back otherwise.
        """
        self._check(voltage_v=voltage_v, current_a=current_a)
        wanted = []
        if current_a is not None:
            wanted.append(Setting(header="CURRent", value=current_a, tolerance=CURRENT_STEP_A))
        if voltage_v is not None:
            wanted.append(Setting(header="VOLTage", value=voltage_v, tolerance=VOLTAGE_STEP_V))
        program(self.session, wanted, operation="set_point")

    def set_protected_point(
        self, *, voltage_v: float | None = None, current_a: float | None = None, ovp_v: float
    ) -> None:
        """Set the protection too: before a voltage that rises, after one that falls, so that nothing trips.

        Raises:
            InstrumentReported: the supply refused.
            InstrumentTimeout: the output did not come down to the voltage.
            SettingRefused: outside the envelope, or a level that would trip at once.
        """
        self._check(voltage_v=voltage_v, current_a=current_a)
        present_v, _ = self.set_points()
        if not (present_v if voltage_v is None else voltage_v) < ovp_v <= MAX_OVP_V:
            raise _refused(f"ovp_v must lie above the voltage and not above {MAX_OVP_V:g}, got {ovp_v!r}")
        if ovp_v > present_v:
            self._set_ovp(ovp_v)
            self.set_point(voltage_v=voltage_v, current_a=current_a)
            return
        self.set_point(voltage_v=voltage_v, current_a=current_a)
        self.settle()
        self._set_ovp(ovp_v)

    def set_output(self, on: bool) -> None:
        """Control the output switch.

        Raises:
            InstrumentReported: the supply refused.
            SettingRefused: what is set lies outside the envelope, so the output is not switched on.
        """
        if on:
            self._check(voltage_v=None, current_a=None)
        program(self.session, [Setting(header="OUTPut", value=on)], operation="set_output")

    def clear_trip(self) -> None:
        """Control the protection: restore the output after a trip whose cause is removed.

        Raises:
            InstrumentReported: the supply refused.
            SettingRefused: what is set lies outside the envelope, or it tripped again.
        """
        self._check(voltage_v=None, current_a=None)
        self.session.write("VOLTage:PROTection:CLEar")
        self.session.check_errors("clear_trip")
        if self.read_state(take_events=False).ovp_tripped:
            raise _refused("tripped again at once; look for the cause")

    def settle(self) -> None:
        """Measure until the output stands at the set voltage; an output that is off, or has tripped, is not waited for.

        Raises:
            InstrumentTimeout: it did not get there; a current limit may hold it down.
        """
        set_v, _ = self.set_points()
        end = time.monotonic() + SETTLE_DEADLINE_S
        # What is latched on the way, such as the current limit while a capacitor fills, is left for the next reading.
        while abs((state := self.read_state(take_events=False)).voltage_v - set_v) > SETTLED_V:
            if state.ovp_tripped or not state.output_on:
                return
            if time.monotonic() >= end:
                text = (
                    f"not at the set {set_v:g} V within {SETTLE_DEADLINE_S:g} s ({state.voltage_v:g} V, {state.mode})"
                )
                raise InstrumentTimeout(text, instrument=self.session.role, operation="settle")
            time.sleep(SETTLE_POLL_S)

    def _set_ovp(self, ovp_v: float) -> None:
        level = Setting(header="VOLTage:PROTection", value=ovp_v, tolerance=VOLTAGE_STEP_V)
        switch = Setting(header="VOLTage:PROTection:STATe", value=True)
        program(self.session, [level, switch], operation="set_ovp")

    def _check(self, *, voltage_v: float | None, current_a: float | None) -> None:
        """Refuse set-points outside the envelope, which protects the board, or outside the supply's range."""
        set_v, set_a = self.set_points()
        wanted = (
            ("voltage_v", set_v if voltage_v is None else voltage_v, min(self.envelope.max_voltage_v, MAX_VOLTAGE_V)),
            ("current_a", set_a if current_a is None else current_a, min(self.envelope.max_current_a, MAX_CURRENT_A)),
        )
        wrong = [
            f"{name} must be 0..{limit:g}, got {value:g}" for name, value, limit in wanted if not 0 <= value <= limit
        ]
        if wrong:
            raise _refused("; ".join(wrong))

    def _mode(self, *, driven: bool) -> SupplyMode:
        if not driven:
            return SupplyMode.OFF
        condition = self._register("STATus:OPERation:CONDition?")
        if condition & CONSTANT_CURRENT:
            return SupplyMode.CC
        return SupplyMode.CV if condition & CONSTANT_VOLTAGE else SupplyMode.UNREGULATED

    def _events(self) -> Questionable:
        """Get what is latched, in the bits that the bench knows; reading clears it."""
        operation, questionable = self._register("STATus:OPERation?"), self._register("STATus:QUEStionable?")
        events = Questionable(0)
        if operation & CONSTANT_CURRENT:
            events |= Questionable.VOLTAGE_UNREGULATED
        if questionable & OVER_VOLTAGE:
            events |= Questionable.OVER_VOLTAGE
        if questionable & OVER_TEMPERATURE:
            events |= Questionable.OVER_TEMPERATURE
        return events

    def _register(self, query: str) -> int:
        return round(self.session.query_number(query))


def make(session: VisaSession, envelope: SupplyEnvelope) -> PowerSupplyDriver:
    """Return the driver: what the package's entry point names, and where a type checker sees whether it fits."""
    return Ps1Supply(session, envelope)


def _refused(text: str) -> SettingRefused:
    return SettingRefused(text, instrument="power_supply", operation="set point")
