"""Sections `power_supply` and `leads`: what feeds the board, and what lies between."""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from daemon.sections.section import DriverName, InstrumentResource, NotNegative, Positive, Section


class OutputChoice(StrEnum):
    """What becomes of the supply's output when the daemon ends."""

    LEAVE = "leave"
    """It stays as it is: the board goes on."""
    OFF = "off"
    """It is switched off."""


class TripChoice(StrEnum):
    """What happens when the supply's over-voltage protection has tripped."""

    REFUSE = "refuse"
    """Runs are refused until a person has found the cause and cleared it."""
    CLEAR = "clear"
    """It is cleared for the next run, which the board must survive; tripping again, it stays down."""


class SerialParityChoice(StrEnum):
    """Parity of a serial line to the supply."""

    NONE = "none"
    """No parity, 8 data bits."""
    EVEN = "even"
    """Even parity, 7 data bits."""
    ODD = "odd"
    """Odd parity, 7 data bits."""


def _number_of(value: object) -> object:
    """Return the number that a text of digits means: what the environment says is text, and a literal takes none."""
    return int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value


BaudRate = Annotated[Literal[300, 600, 1200, 2400, 4800, 9600], BeforeValidator(_number_of)]
"""A baud rate that the supply has."""


class PowerSupplySection(Section):
    """The supply: where it is, and the envelope that protects the board."""

    resource: InstrumentResource
    """VISA resource name, such as `GPIB0::5::INSTR`."""
    driver: DriverName = "e3645a"
    """Driver of the supply: `e3645a`, or the name of one that an installed package brings."""
    gpib_adapter: Annotated[str, StringConstraints(pattern=r"^PRLGX-(TCPIP|ASRL).*::INTFC$")] | None = None
    """VISA resource name of a Prologix-style adapter; left out where the GPIB board has a driver of its own."""
    baud: BaudRate = 9600
    """Baud rate where the resource is a serial port (`ASRL...`), as set at the supply's front panel."""
    parity: SerialParityChoice = SerialParityChoice.NONE
    """Parity of a serial port: `none` with 8 data bits, `even` or `odd` with 7."""
    max_voltage_v: Annotated[float, Field(gt=0, le=60)]
    """Highest voltage that may ever be programmed, in volts: what the board survives."""
    max_current_a: Annotated[float, Field(gt=0, le=2.2)]
    """Highest current limit that may ever be programmed, in ampere."""
    voltage_v: NotNegative | None = None
    """Voltage to program at start, in volts; left out: the supply stays as it is found."""
    current_limit_a: NotNegative | None = None
    """Current limit to program at start, in ampere; left out: the supply stays as it is found."""
    ovp_v: Annotated[float, Field(gt=0, le=66)] | None = None
    """Level of the over-voltage protection to program at start, in volts; left out: it stays as it is found."""
    output_on_exit: OutputChoice = OutputChoice.LEAVE
    """What becomes of the output when the daemon ends, after an error too: `leave` or `off`."""
    after_trip: TripChoice = TripChoice.REFUSE
    """What happens when the over-voltage protection has tripped: runs are refused until somebody has cleared it
    (`refuse`), or the next run clears it (`clear`)."""
    soft_start_s: Annotated[float, Field(ge=0, le=60)] = 0.0
    """Time in which the output rises from 0 V in steps where joulebench switches it on, in seconds; 0: at once."""
    timeout_s: Positive = 5.0
    """Longest wait for one answer of the supply, in seconds; behind a Prologix-style adapter 3 s at most, whatever is
    set here: no such adapter waits longer."""
    readback_gain_limit: NotNegative = 0.0005
    """Limit of the voltage read-back's error: the part that is a fraction of the reading."""
    readback_limit_v: NotNegative = 0.005
    """Limit of the voltage read-back's error: the fixed part, in volts."""
    current_readback_gain_limit: NotNegative = 0.0015
    """Limit of the current read-back's error: the part that is a fraction of the reading."""
    current_readback_limit_a: NotNegative = 0.005
    """Limit of the current read-back's error: the fixed part, in ampere."""

    @model_validator(mode="after")
    def _inside_envelope(self) -> Self:
        limits = (
            ("voltage_v", self.voltage_v, "max_voltage_v", self.max_voltage_v),
            ("current_limit_a", self.current_limit_a, "max_current_a", self.max_current_a),
        )
        if self.ovp_v is not None and self.voltage_v is not None and self.ovp_v <= self.voltage_v:
            raise ValueError(f"ovp_v is {self.ovp_v}, not above voltage_v = {self.voltage_v}: it would trip at once")
        for name, value, limit_name, limit in limits:
            if value is not None and value > limit:
                raise ValueError(f"{name} is {value}, outside the envelope ({limit_name} = {limit})")
        return self


class LeadsSection(Section):
    """The leads from the supply to the board, whose drop is subtracted from the supply's read-back."""

    resistance_ohm: NotNegative = 0.05
    """Resistance of both leads together between where voltage is read and the board, in ohms."""
    resistance_limit_ohm: NotNegative = 0.01
    """How far the true resistance may lie from the declared one, in ohms."""
    remote_sense: bool = False
    """True where the sense terminals are wired to the board: the supply then makes the drop good itself."""
