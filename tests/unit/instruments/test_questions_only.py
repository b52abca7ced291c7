"""What passes to a supply in a dry run."""

from typing import Any

import pytest

from instruments.connection import Link
from instruments.errors import SettingRefused
from instruments.questions_only import QuestionsOnly
from instruments.visa_session import VisaSession


class Wire:
    """A connection that remembers what was sent."""

    role, resource, wait_s, is_serial, link = "power_supply", "wire", 1.0, False, Link.GOOD

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *_: True

    def write(self, message: bytes) -> None:
        self.sent.append(message)

    def read(self) -> bytes:
        return b"+1\n"


@pytest.mark.parametrize("message", ["OUTPut?", "VOLT:PROT?;PROT:STAT?", ":SYSTem:ERRor?", "VOLTage? MAX", "SYST:REM?"])
def test_a_question_passes(message: str) -> None:
    wire = Wire()
    assert VisaSession(QuestionsOnly(wire)).query(message) == "+1"
    assert wire.sent == [f"{message}\n".encode()]


def test_a_serial_supply_is_told_that_it_is_remote() -> None:
    wire = Wire()
    VisaSession(QuestionsOnly(wire)).write("SYSTem:REMote")
    assert wire.sent == [b"SYSTem:REMote\n"]


@pytest.mark.parametrize(
    "message",
    ["OUTPut 1", "OUTPut 0", "OUTP 1;OUTP?", "OUTP?;OUTP 1", "*RST", "*RCL 1", "VOLTage 5", "APPL 5,1", "VOLT:PROT:CLE",
     "VOLT 5?", "SYSTem:REMote;*RST", "*TRG", "", "OUTP 1\n*IDN?", "*IDN?\nOUTP 1", "*IDN?\rOUTP 1"],
)  # fmt: skip
def test_a_command_does_not(message: str) -> None:
    wire = Wire()
    with pytest.raises(SettingRefused, match="a dry run sends no command"):
        VisaSession(QuestionsOnly(wire)).write(message)
    assert wire.sent == []


def test_all_else_is_the_connections_own() -> None:
    wire = Wire()
    guard = QuestionsOnly(wire)
    guard.link = Link.LOST
    assert wire.link is Link.LOST
    assert (guard.link, guard.role, guard.resource, guard.wait_s, guard.is_serial) == (
        Link.LOST, "power_supply", "wire", 1.0, False,
    )  # fmt: skip
    assert guard.drain()
    assert guard.clear()
