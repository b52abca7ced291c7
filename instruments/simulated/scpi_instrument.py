"""SCPI instrument: messages in, answers out, with the error rules that both instruments share.

It knows no transport. A message's answer is handed out at once; the transport says when one was not read.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntFlag

from instruments.simulated.block_input import split_outside
from instruments.simulated.error_queue import ErrorQueue, ScpiError
from instruments.simulated.faults import Faults, Role
from instruments.simulated.latency import Pace
from instruments.simulated.scpi_tree import Call, Path, ScpiTree, parse_header
from instruments.simulated.scpi_values import number_to_nr1, text_to_number

MAX_ANSWER_BYTES = 32 << 20
"""Longest answer of one message: the whole of the largest memory in each format fits several times over."""


class EventStatus(IntFlag):
    """Standard event status register (IEEE 488.2)."""

    OPERATION_COMPLETE = 1
    """`*OPC` has been reached."""
    QUERY_ERROR = 4
    """-4xx."""
    DEVICE_ERROR = 8
    """-3xx and device-dependent ones."""
    EXECUTION_ERROR = 16
    """-2xx."""
    COMMAND_ERROR = 32
    """-1xx."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one message made the instrument say."""

    data: bytes
    """Bytes to send, terminator included."""
    holds_block: bool
    """Whether there is a definite-length block in it."""


class _Message:
    """A message in execution."""

    def __init__(self, units: Iterator[str]) -> None:
        self.units = deque(units)
        self.path: Path = ()
        self._parts: list[bytes] = []
        self._size = 0
        self._holds_block = False

    def add(self, answer: str | bytes) -> None:
        self._holds_block |= isinstance(answer, bytes)
        self._parts.append(answer if isinstance(answer, bytes) else answer.encode("ascii", "replace"))
        self._size += len(self._parts[-1])

    @property
    def too_long(self) -> bool:
        return self._size > MAX_ANSWER_BYTES

    def give_up(self) -> None:
        self.units.clear()
        self._parts.clear()

    def answer(self) -> Answer | None:
        return Answer(b";".join(self._parts) + b"\n", self._holds_block) if self._parts else None


class ScpiInstrument:
    """Command tree, error queue, status registers, and the parsing of messages."""

    def __init__(
        self, *, role: Role, identity: str, queue_depth: int, faults: Faults, pace: Pace | None = None
    ) -> None:
        self.role = role
        self.tree = ScpiTree()
        self.errors = ErrorQueue(queue_depth)
        self.faults = faults
        self.pace = pace or Pace()
        self._identity = identity
        self._message = _Message(iter(()))
        self._events = EventStatus(0)
        self._event_enable = 0
        self._service_enable = 0
        self._add_common()

    def receive(self, message: bytes) -> Answer | None:
        """Execute one message without its terminator; return its answer, None where it asks nothing.

        A blocking command ends the execution early: `unfinished` is then true, and `resume` does the rest.
        """
        self.before_message()
        self._message = _Message(_units(message.decode("latin-1")))
        return self.resume()

    @property
    def unfinished(self) -> bool:
        """Whether commands of the last message still wait behind a blocking one."""
        return bool(self._message.units)

    def resume(self) -> Answer | None:
        """Execute what is left of a message, as far as a blocking command allows; return its answer at its end."""
        message = self._message
        while message.units:
            if self.blocked:
                return None
            self._execute_next(message)
        return message.answer()

    def taken_s(self, answer: Answer | None) -> float:
        """Return how long the instrument takes over what it just executed, in real seconds; the transport waits."""
        return self.pace.taken_s(0 if answer is None else len(answer.data))

    def report(self, code: int) -> None:
        """Queue an error and set its event bit."""
        self.errors.push(code)
        by_class = {1: EventStatus.COMMAND_ERROR, 2: EventStatus.EXECUTION_ERROR, 4: EventStatus.QUERY_ERROR}
        family = -code // 100 if code < 0 else 3
        self._events |= by_class.get(family, EventStatus.DEVICE_ERROR)

    def status_byte(self, *, answer_waiting: bool = False) -> int:
        """Return the status byte, as a serial poll reads it."""
        byte = self.summary_bits() | (16 if answer_waiting else 0)
        if int(self._events) & self._event_enable:
            byte |= 32
        return byte | (64 if byte & self._service_enable else 0)

    @property
    def blocked(self) -> bool:
        """Whether the interface waits for a blocking command."""
        return False

    def before_message(self) -> None:
        """Bring the instrument up to now; a hook."""

    def summary_bits(self) -> int:
        """Return the summary bits of the instrument's own registers; a hook."""
        return 0

    def clear_status(self) -> None:
        """Do what `*CLS` does."""
        self.errors.clear()
        self._events = EventStatus(0)

    def reset(self) -> None:
        """Do what `*RST` does; a hook."""

    def device_clear(self) -> None:
        """Do what a device clear on the bus does: the message in execution is given up, and nothing else changes."""
        self._message.units.clear()

    def trigger(self) -> None:
        """Do what `*TRG` does; a hook."""

    def _execute_next(self, message: "_Message") -> None:
        unit = message.units.popleft()
        try:
            message.path, answer = self._execute(unit, message.path)
        except ScpiError as error:
            self.report(error.code)
            message.units.clear()
            return
        if answer is not None:
            message.add(answer)
        if message.too_long:
            self.report(-430)
            message.give_up()

    def _execute(self, unit: str, path: Path) -> tuple[Path, str | bytes | None]:
        header, _, rest = unit.partition(" ")
        is_query = header.endswith("?")
        body = header.rstrip("?").removeprefix(":")
        here = parse_header(body)
        absolute = header.startswith((":", "*"))
        common = header.startswith("*") or here[0][0] in ("SYST", "SYSTEM")
        if not common and self.faults.estranged(self.role):
            raise ScpiError(-113)
        full = here if absolute else path + here
        handler, suffixes = self.tree.find(full, is_query=is_query)
        answer = handler(Call(suffixes, tuple(_arguments(rest))))
        return (path if header.startswith("*") else full[:-1]), answer

    def _add_common(self) -> None:
        add = self.tree.add
        add("*IDN", query=lambda _: self.faults.identity(self.role, self._identity))
        add("*CLS", write=lambda _: self.clear_status())
        add("*RST", write=lambda _: self.reset())
        add("*TRG", write=lambda _: self.trigger())
        add("*WAI", write=lambda _: None)
        add("*OPC", write=lambda _: self._set_complete(), query=lambda _: "1")
        add("*ESR", query=lambda _: self._take_events())
        add("*ESE", write=self._set_event_enable, query=lambda _: number_to_nr1(self._event_enable))
        add("*SRE", write=self._set_service_enable, query=lambda _: number_to_nr1(self._service_enable))
        add("*STB", query=lambda _: number_to_nr1(self.status_byte()))
        add("*TST", query=lambda _: "+0")
        add("SYSTem:ERRor", query=lambda _: self.errors.pop())

    def _set_complete(self) -> None:
        self._events |= EventStatus.OPERATION_COMPLETE

    def _take_events(self) -> str:
        events, self._events = self._events, EventStatus(0)
        return number_to_nr1(int(events))

    def _set_event_enable(self, call: Call) -> None:
        self._event_enable = _register(call)

    def _set_service_enable(self, call: Call) -> None:
        self._service_enable = _register(call) & ~64


def _register(call: Call) -> int:
    value = text_to_number(call.text())
    if not 0 <= value <= 255:
        raise ScpiError(-222)
    return int(value)


def _units(message: str) -> Iterator[str]:
    for unit in split_outside(message, ";"):
        if unit.strip():
            yield unit.strip()


def _arguments(rest: str) -> Iterator[str]:
    if rest.strip():
        yield from (part.strip() for part in split_outside(rest, ","))
