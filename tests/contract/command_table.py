"""Rows of the reference's tables, each with what shows its behaviour on the simulated bench, over its sockets."""

import time
from collections.abc import Callable
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.bench import SimulatedBenchThread
from instruments.visa_session import VisaSession
from tests.contract.test_simulated_fronts import LIMIT_S, Line, connected, until

NO_ERROR = '+0,"No error"'


class Talk:
    """A conversation with one instrument, message by message."""

    def __init__(self, line: Line) -> None:
        self.line = line

    def write(self, *messages: str) -> None:
        for message in messages:
            self.line.send(message.encode() + b"\n")

    def ask(self, message: str) -> str:
        return self.line.ask(message.encode()).decode()

    def number(self, message: str) -> float:
        return float(self.ask(message))

    def errors(self) -> list[int]:
        """Empty the error queue; return the numbers that were in it."""
        found = []
        while (entry := self.ask(":SYSTem:ERRor?")) != NO_ERROR:
            found.append(int(entry.partition(",")[0]))
        return found

    def keeps(self, header: str, *pairs: tuple[str, str]) -> None:
        """Check that each value is taken, and answered as it should be."""
        for value, answer in pairs:
            self.write(f"{header} {value}")
            assert self.ask(f"{header}?") == answer, value
        assert self.errors() == []

    def refuses(self, *messages: str, code: int | None = None) -> None:
        """Check that each message puts one error into the queue: this one, where its number is known."""
        for message in messages:
            self.write(message)
            found = self.errors()
            assert found == [code] if code is not None else len(found) == 1, (message, found)


class ScopeTalk(Talk):
    """The oscilloscope's, over its raw socket."""

    def block(self, message: str) -> bytes:
        """Return the bytes of a definite-length block: `#8`, their number, they themselves, and a line feed."""
        self.write(message)
        head = self.line.file.read(10)
        assert head[:2] == b"#8", head
        data = self.line.file.read(int(head[2:]))
        assert self.line.file.read(1) == b"\n"
        return data

    def words(self) -> NDArray[np.uint16]:
        self.write(":WAVeform:FORMat WORD;BYTeorder LSBFirst;UNSigned 1")
        return np.frombuffer(self.block(":WAVeform:DATA?"), "<u2")

    def preamble(self) -> list[float]:
        return [float(field) for field in self.ask(":WAVeform:PREamble?").split(",")]

    def take(self, setup: str = "*WAI") -> None:
        """Take one record, which triggers itself."""
        self.write(setup, ":DIGitize")
        assert self.ask("*OPC?") == "1"
        assert self.errors() == []

    def wait(self, query: str, answer: str) -> None:
        until(self.line, query.encode(), answer.encode())


class SupplyTalk(Talk):
    """The supply's, through the adapter."""

    def ask(self, message: str) -> str:
        self.write(message)
        return self.line.ask(b"++read eoi").decode()

    def settled_v(self, wanted_v: float, *, within_v: float = 0.05) -> float:
        """Wait until the output has come near; return how far from it it is read."""
        end = time.monotonic() + LIMIT_S
        while abs(error_v := self.number("MEAS:VOLT?") - wanted_v) > within_v:
            assert time.monotonic() < end, f"the output is {error_v:g} V off {wanted_v:g} V"
        return error_v


class Lab:
    """A simulated bench, and what one test needs to talk to it; every test has lines of its own."""

    def __init__(self, stack: ExitStack, serve: Callable[..., SimulatedBenchThread], **settings: object) -> None:
        self._stack = stack
        self._serve = serve
        self.bench = serve(**settings)

    def line(self, resource: str) -> Line:
        opened = contextmanager(lambda: connected(resource))
        return self._stack.enter_context(opened())

    @cached_property
    def scope(self) -> ScopeTalk:
        talk = ScopeTalk(self.line(self.bench.addresses.oscilloscope))
        talk.write("*RST", ":STOP;*CLS", ":CHANnel1:PROBe 10;UNITs AMPere;SCALe 0.2;OFFSet 0.6")
        return talk

    @cached_property
    def supply(self) -> SupplyTalk:
        talk = SupplyTalk(self.line(self.bench.addresses.gpib_adapter))
        talk.write("++mode 1", "++auto 0", "++read_tmo_ms 50", "++eos 3", "++eoi 1", "++addr 5", "++clr")
        talk.write("VOLT:PROT:CLE;:VOLT:PROT 66;PROT:STAT 1;:VOLT:RANG LOW;:APPL 19,2;:OUTP 1")
        talk.settled_v(19.0)
        talk.write("*CLS")
        return talk

    @cached_property
    def marker(self) -> Line:
        return self.line(self.bench.addresses.marker)

    @cached_property
    def vxi11(self) -> VisaSession:
        session = VisaSession.open(self.bench.addresses.oscilloscope_vxi11, role="oscilloscope", timeout_s=2.0)
        self._stack.callback(session.close)
        session.write("*RST;:STOP;*CLS")
        return session

    @cached_property
    def large(self) -> "Lab":
        """Another bench, whose oscilloscope has the option of more memory."""
        return self.other(memory_points=1_000_000)

    def other(self, **settings: object) -> "Lab":
        """Return another bench, whose world is another."""
        return Lab(self._stack, self._serve, **settings)


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    section: str
    name: str
    shows: Callable[[Lab], None]

    def __str__(self) -> str:
        return f"{self.section} {self.name}"


ROWS: list[Row] = []


def row(section: str, name: str) -> Callable[[Callable[[Lab], None]], Callable[[Lab], None]]:
    """Enter what shows the behaviour of a row."""

    def enter(shows: Callable[[Lab], None]) -> Callable[[Lab], None]:
        ROWS.append(Row(section, name, shows))
        return shows

    return enter
