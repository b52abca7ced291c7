"""Power supply: the E3645A's verbs. Opening it sends nothing that changes its output."""

import time
from typing import Any

from instruments.answer_number import LARGEST_REGISTER
from instruments.deadline import check_deadline
from instruments.errors import BadAnswer, InstrumentTimeout
from instruments.identity import expect_model
from instruments.setting import Setting, program
from instruments.supply_envelope import OVP_MAX_V, SupplyEnvelope, SupplyRange, refused
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading
from instruments.visa_session import VisaSession

MODELS = ("E3645A",)
"""Models that this driver speaks to."""
LARGEST_V, LARGEST_A = 100.0, 10.0
"""Beyond these an answer is no voltage or current of this supply, whatever its errors."""
VOLTAGE_RESOLUTION_V = 0.002
"""How far a voltage may be read back from the one sent: one step of the supply's converter."""
CURRENT_RESOLUTION_A = 0.0005
"""The same for a current limit."""
SETTLED_V = 0.025
"""Fixed part of how far a settled output may be measured from the set voltage: programming (10 mV) and read-back (5 mV)
accuracy, and regulation."""
SETTLED_FRACTION = 0.0015
"""Proportional part of the same."""
SETTLE_DEADLINE_S = 5.0
"""Time for the output to settle; falling takes longest, for only the board draws charge from it."""
SETTLE_POLL_S = 0.02
"""Time between two measurements while it settles."""
CONDITION_MODE = {1: SupplyMode.CC, 2: SupplyMode.CV, 3: SupplyMode.FAULT}
"""Answers to the questionable condition query; 0 is off or unregulated (reference 2.2)."""


class PowerSupply:
    """An E3645A at the other end of a session. Use it from the session's thread only."""

    def __init__(self, session: VisaSession, envelope: SupplyEnvelope) -> None:
        self.session = session
        self.envelope = envelope

    def identify(self) -> str:
        """Get the identity string; over RS-232 the supply is first told that it is remote, which GPIB does by itself.

        Raises:
            WrongInstrument: something else answers.
        """
        if self.session.is_serial:
            self.session.write("SYSTem:REMote")  # without it nothing else is obeyed; over GPIB it is an error
        return expect_model(self.session, MODELS)

    def read_state(self, *, take_events: bool = True) -> SupplyReading:
        """Measure the voltage and current; get regulation, switch, protection, and what happened since the last call.

        Args:
            take_events: also read what is latched, which clears it; False leaves it for whoever measures.
        """
        output_on = self.session.query_whole_number("OUTPut?", high=1) != 0
        ovp_tripped = self._tripped()
        return SupplyReading(
            voltage_v=self.session.query_number("MEASure:VOLTage?", low=-LARGEST_V, high=LARGEST_V),
            current_a=self.session.query_number("MEASure:CURRent?", low=-LARGEST_A, high=LARGEST_A),
            mode=self._mode(driven=output_on and not ovp_tripped),
            output_on=output_on,
            ovp_tripped=ovp_tripped,
            events=self._events() if take_events else Questionable(0),
        )

    def _events(self) -> Questionable:
        return Questionable(self.session.query_whole_number("STATus:QUEStionable?", high=LARGEST_REGISTER))

    def _tripped(self) -> bool:
        return self.session.query_whole_number("VOLTage:PROTection:TRIPped?", high=1) != 0

    def set_points(self) -> tuple[float, float]:
        """Get the programmed voltage in volt and current limit in ampere."""
        return set_points(self.session)

    def further_settings(self) -> dict[str, Any]:
        """Get the range, and the over-voltage protection's level in volt and switch.

        Raises:
            BadAnswer: the supply names no range that it has.
        """
        return {
            "range": self.output_range().value,
            "ovp_v": self.session.query_number("VOLTage:PROTection?", low=0.0, high=LARGEST_V),
            "ovp_on": self.session.query_whole_number("VOLTage:PROTection:STATe?", high=1) != 0,
        }

    def output_range(self) -> SupplyRange:
        """Get the output range.

        Raises:
            BadAnswer: the supply names none that it has.
        """
        answer = self.session.query("VOLTage:RANGe?")
        try:
            return SupplyRange(answer.upper())
        except ValueError as error:
            text = f"range must be P35V or P60V, got {answer!r}"
            raise BadAnswer(text, instrument=self.session.role, operation="VOLTage:RANGe?") from error

    def set_point(self, *, voltage_v: float | None = None, current_a: float | None = None) -> None:
        """Set the voltage in volt, the current limit in ampere, or both; what is None stays.

        Raises:
            BadAnswer: the supply names no range that it has.
            InstrumentReported: the supply refused.
            SettingRefused: outside envelope or range (nothing was sent), or read back otherwise.
        """
        self._check(voltage_v=voltage_v, current_a=current_a)
        wanted = []
        if current_a is not None:
            wanted.append(Setting(header="CURRent", value=current_a, tolerance=CURRENT_RESOLUTION_A))
        if voltage_v is not None:
            wanted.append(Setting(header="VOLTage", value=voltage_v, tolerance=VOLTAGE_RESOLUTION_V))
        program(self.session, wanted, operation="set_point")

    def set_range(self, output_range: SupplyRange) -> None:
        """Set the output range.

        Raises:
            InstrumentReported: the supply refused.
            SettingRefused: present set-points lie outside it, and the supply would silently clamp a live output.
        """
        voltage_v, current_a = self.set_points()
        if voltage_v > output_range.max_voltage_v or current_a > output_range.max_current_a:
            text = (
                f"range {output_range} ends at {output_range.max_voltage_v:g} V and {output_range.max_current_a:g} A, "
                f"set are {voltage_v:g} V and {current_a:g} A; lower the set-points first"
            )
            raise refused(text, operation="set_range")
        setting = Setting(header="VOLTage:RANGe", value=str(output_range), also=(output_range.name,))
        program(self.session, [setting], operation="set_range")

    def set_ovp(self, voltage_v: float) -> None:
        """Set the level of the over-voltage protection in volt, and switch it on.

        Raises:
            InstrumentReported: the supply refused.
            SettingRefused: above 66 V, or not above the set voltage, where it would trip at once.
        """
        set_v = set_voltage_v(self.session)
        if not set_v < voltage_v <= OVP_MAX_V:
            text = f"must lie above the set voltage of {set_v:g} V and not above {OVP_MAX_V:g} V, got {voltage_v!r} V"
            raise refused(text, operation="set_ovp")
        level = Setting(header="VOLTage:PROTection", value=voltage_v, tolerance=0.05)
        switch = Setting(header="VOLTage:PROTection:STATe", value=True)
        program(self.session, [level, switch], operation="set_ovp")

    def set_protected_point(
        self, *, voltage_v: float | None = None, current_a: float | None = None, ovp_v: float
    ) -> None:
        """Set the voltage in volt, the current limit in ampere and the protection's level in volt, tripping nothing.

        A level above the present voltage comes first; a lower one waits until the output has come down.

        Raises:
            BadAnswer: the supply names no range that it has.
            InstrumentReported: the supply refused.
            InstrumentTimeout: the output did not come down to the voltage.
            SettingRefused: outside envelope or range, or a level that would trip at once.
        """
        self._check(voltage_v=voltage_v, current_a=current_a)
        present_v = set_voltage_v(self.session)
        if not (present_v if voltage_v is None else voltage_v) < ovp_v <= OVP_MAX_V:
            text = f"must lie above the voltage that is to be set, and not above {OVP_MAX_V:g} V, got {ovp_v!r} V"
            raise refused(text, operation="ovp_v")
        if ovp_v > present_v:
            self.set_ovp(ovp_v)
            self.set_point(voltage_v=voltage_v, current_a=current_a)
            return
        self.set_point(voltage_v=voltage_v, current_a=current_a)
        self.settle()
        self.set_ovp(ovp_v)

    def set_output(self, on: bool) -> None:
        """Control the output switch.

        Raises:
            BadAnswer: the supply names no range that it has.
            InstrumentReported: the supply refused.
            SettingRefused: what is set lies outside the envelope, so the output is not switched on.
        """
        if on:
            self._check(voltage_v=None, current_a=None)
        program(self.session, [Setting(header="OUTPut", value=on)], operation="set_output")

    def settle(self, deadline_s: float = SETTLE_DEADLINE_S) -> None:
        """Measure until the output stands at the set voltage; an output that is off, or has tripped, is not waited for.

        What is latched meanwhile stays latched, for whoever reads next: a moment of constant current is not forgotten.

        Raises:
            InstrumentTimeout: not within `deadline_s`; a current limit may hold the output down.
            SettingRefused: a deadline that is none.
        """
        check_deadline(deadline_s, instrument=self.session.role, operation="settle")
        set_v, _ = self.set_points()
        tolerance_v = SETTLED_V + SETTLED_FRACTION * set_v
        end = time.monotonic() + deadline_s
        while abs((state := self.read_state(take_events=False)).voltage_v - set_v) > tolerance_v:
            if state.ovp_tripped or not state.output_on:
                return
            if time.monotonic() >= end:
                text = f"not reached the set {set_v:g} V within {deadline_s:g} s ({state.voltage_v:g} V, {state.mode})"
                raise InstrumentTimeout(text, instrument=self.session.role, operation="settle")
            time.sleep(SETTLE_POLL_S)

    def clear_trip(self) -> None:
        """Control the over-voltage protection: restore the output after a trip whose cause is removed.

        Raises:
            BadAnswer: the supply names no range that it has.
            InstrumentReported: the supply refused.
            SettingRefused: what is set lies outside the envelope, so the output stays down; or it tripped again.
        """
        self._check(voltage_v=None, current_a=None)
        self.session.write("VOLTage:PROTection:CLEar")
        self.session.check_errors("clear_trip")
        if self._tripped():
            text = "tripped again at once; lower the voltage, raise the protection's level, or look for another source"
            raise refused(text, operation="clear_trip")

    def _check(self, *, voltage_v: float | None, current_a: float | None) -> None:
        set_v, set_a = self.set_points()
        self.envelope.check(
            voltage_v=set_v if voltage_v is None else voltage_v,
            current_a=set_a if current_a is None else current_a,
            output_range=self.output_range(),
        )

    def _mode(self, *, driven: bool) -> SupplyMode:
        condition = self.session.query_whole_number("STATus:QUEStionable:CONDition?", high=LARGEST_REGISTER)
        idle = SupplyMode.UNREGULATED if driven else SupplyMode.OFF
        return CONDITION_MODE.get(condition & 3, idle)


def set_points(session: VisaSession) -> tuple[float, float]:
    """Get the programmed voltage in volt and current limit in ampere; sends nothing that changes the supply."""
    return set_voltage_v(session), session.query_number("CURRent?", low=0.0, high=LARGEST_A)


def set_voltage_v(session: VisaSession) -> float:
    """Get the programmed voltage in volt."""
    return session.query_number("VOLTage?", low=0.0, high=LARGEST_V)
