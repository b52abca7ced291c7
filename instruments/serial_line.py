"""Serial line: RS-232 as the power supply speaks it, set on the computer's side and read back."""

from dataclasses import dataclass
from enum import StrEnum

import pyvisa
from pyvisa import constants
from pyvisa.resources import SerialInstrument

from instruments.errors import ConnectionFailed, SettingRefused

BAUDS = (300, 600, 1200, 2400, 4800, 9600)
"""Baud rates of the E3645A; it leaves the factory at 9600."""
CTRL_C = b"\x03"
"""Clears the supply: a serial line has no device clear."""
DRAIN_LIMIT = 100
"""Most reads of late answers; more mean that something talks without end."""


class SerialParity(StrEnum):
    """Parity; with one, a character has seven bits, without, eight (reference 2.1)."""

    NONE = "none"
    EVEN = "even"
    ODD = "odd"


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialLine:
    """What must be the same here and at the supply's front panel; two stop bits and DTR/DSR are fixed there."""

    baud: int = 9600
    """Bits a second."""
    parity: SerialParity = SerialParity.NONE
    """Parity."""

    def __post_init__(self) -> None:
        if self.baud not in BAUDS:
            text = f"must be one of {BAUDS}, got {self.baud!r}"
            raise SettingRefused(text, instrument="power_supply", operation="baud")

    def apply(self, port: SerialInstrument, *, role: str) -> None:
        """Set a port to this, read every setting back, and end answers at the newline.

        Raises:
            ConnectionFailed: the port took another value, or refused one.
        """
        wanted = {
            "baud_rate": self.baud,
            "data_bits": 8 if self.parity is SerialParity.NONE else 7,
            "parity": constants.Parity[self.parity.value],
            "stop_bits": constants.StopBits.two,
            "flow_control": constants.ControlFlow.dtr_dsr,
        }
        for name, value in wanted.items():
            try:
                setattr(port, name, value)
                taken = getattr(port, name)
            except Exception as error:  # `termios.error`, of what the system refuses, is no OSError and none of VISA's
                text = f"the port refuses {name} = {value!r}: {error}"
                raise ConnectionFailed(text, instrument=role, operation="open") from error
            if taken != value:
                text = f"the port was set to {name} = {value!r} and has {taken!r}: use another port or adapter"
                raise ConnectionFailed(text, instrument=role, operation="open")
        port.read_termination = "\n"


def clear(port: SerialInstrument) -> None:
    """Clear the instrument at the other end, and throw away what it was still saying, until it is silent.

    Raises:
        pyvisa.errors.VisaIOError: the port fails, or the other end never stops.
    """
    port.write_raw(CTRL_C)
    for _ in range(DRAIN_LIMIT):
        try:
            port.read_raw()
        except pyvisa.errors.VisaIOError as error:
            if error.error_code == constants.StatusCode.error_timeout:
                return
            raise
    raise pyvisa.errors.VisaIOError(constants.StatusCode.error_io)
