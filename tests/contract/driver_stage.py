"""Where a driver is held to its word: instruments that answer it, an ear on the line, and hands that clamp settings."""

import inspect
import itertools
import time
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from instruments.connection import Connection, Link
from instruments.errors import SettingRefused, WrongInstrument
from instruments.front_panel import FrontPanel
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.oscilloscope_settings import (
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    TimeBaseSettings,
    TriggerSettings,
)
from instruments.prologix_adapter import PrologixAdapter
from instruments.serial_line import SerialLine
from instruments.simulated.acquisition import Acquisition
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.board_load import BoardSettings
from instruments.simulated.clock import WorldClock
from instruments.simulated.faults import Faults
from instruments.simulated.scope_dialect import ScopeDialect
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.supply_dialect import SupplyDialect
from instruments.simulated.truth_log import TruthLog
from instruments.simulated.world import World, WorldSettings
from instruments.supply_envelope import SupplyRange
from instruments.visa_connection import VisaConnection
from instruments.visa_session import VisaSession
from metrology.trace import Unit
from tests.contract.driver_discovery import Driver, drivers, verbs_of
from tests.contract.driver_documentation import is_number
from tests.contract.own_supply import Ps1

TIME_SCALE = 50.0
CURRENT = ChannelSettings(number=1, scale_per_div=0.2, offset=0.6, probe_ratio=10.0, unit=Unit.AMPERE)
VOLTAGE = ChannelSettings(number=2, scale_per_div=5.0, offset=15.0, probe_ratio=10.0)
RECORD = TimeBaseSettings(range_s=1e-6)
IDLE_A = 0.15
WORLD = WorldSettings(
    time_scale=TIME_SCALE, segmented_memory=True, board=BoardSettings(idle_current_a=IDLE_A, ripple_a=0.1)
)
"""A world with every option, in which the current repeats: each period of its ripple is a trigger for an average."""
REPEATING = TriggerSettings(source="CHANnel1", level=IDLE_A)
WIRINGS = (
    OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE, time_base=RECORD),
    OscilloscopeSettings(
        current=CURRENT,
        pod=None,
        time_base=RECORD,
        trigger=TriggerSettings(source="CHANnel1", level=0.45),
        acquisition=AcquisitionType.HIGH_RESOLUTION,
    ),
    OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE, time_base=RECORD, trigger=REPEATING, segments=2),
    OscilloscopeSettings(current=CURRENT, voltage=VOLTAGE, time_base=RECORD, acquisition=AcquisitionType.PEAK),
    OscilloscopeSettings(
        current=CURRENT,
        voltage=VOLTAGE,
        time_base=RECORD,
        trigger=REPEATING,
        acquisition=AcquisitionType.AVERAGE,
        average_count=4,
    ),
)
"""Settings of an oscilloscope that between them use every field."""
RUNS = WIRINGS[:2]
"""Those of a run, with which every verb is tried that takes them."""


class Tap:
    """A connection that notes what is sent, and may answer for an instrument that clamps one setting in silence."""

    def __init__(self, inner: Connection) -> None:
        self.inner = inner
        self.sent: list[str] = []
        self.clamps = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @property
    def link(self) -> Link:
        return self.inner.link

    @link.setter
    def link(self, link: Link) -> None:
        self.inner.link = link

    @property
    def changes(self) -> list[str]:
        """What was sent that is no question."""
        return [message for message in self.sent if not is_question(message)]

    def write(self, message: bytes) -> None:
        self.sent.append(message.decode("latin-1").removesuffix("\n"))
        self.inner.write(message)

    def read(self) -> bytes:
        answer = self.inner.read()
        before = [header for message in self.sent[:-1] for header, _ in settings_in(message)]
        clamped = self.clamps and self.sent[-1] == f"{self.clamps}?" and self.clamps in before
        return clamped_answer(answer) if clamped else answer


def clamped_answer(answer: bytes) -> bytes:
    """Return what an instrument answers that took another value than it was sent."""
    text = answer.decode().strip()
    if text in ("0", "1"):
        return f"{1 - int(text)}\n".encode()
    try:
        return f"{0.5 * float(text) - 1.0:+.8E}\n".encode()
    except ValueError:
        return b"CLAMPED\n"


def is_question(message: str) -> bool:
    """Whether a message asks and does nothing else."""
    return "#" not in message and all("?" in unit.partition(" ")[0] for unit in message.split(";"))


def settings_in(message: str) -> Iterator[tuple[str, str]]:
    """Yield header and value of each setting in a message; an action has no value, and a question none of its own."""
    if "#" in message:  # a block of bytes has no value to compare: a memory's image
        return
    for unit in message.split(";"):
        header, _, value = unit.partition(" ")
        if value and not header.endswith("?"):
            yield header, value


class DirectConnection:
    """The instrument in this very process, without a network."""

    role, resource, is_serial, wait_s, link = "instrument", "direct", False, 1.0, Link.GOOD

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._ready: bytes | None = None

    def open(self) -> None: ...

    def mend(self) -> None: ...

    def close(self) -> None: ...

    def write(self, message: bytes) -> None:
        self._ready = self._answer(message.removesuffix(b"\n"))

    def read(self) -> bytes:
        assert self._ready is not None, "no answer"
        return self._ready

    def read_within(self, wait_s: float) -> bytes:
        return self.read()

    def read_block(self, operation: str) -> bytes:
        answer = self.read()
        return answer[10:-1]


@dataclass(frozen=True)
class Instrument:
    """Something that answers, and how it is brought back to where every test finds it."""

    connect: Callable[[], Connection]
    reset: tuple[str, ...]
    state: tuple[str, ...]
    """Questions whose answers are all that can be set."""

    def session(self) -> VisaSession:
        connection = self.connect()
        connection.open()
        return VisaSession(connection)


SCOPE = ("*RST", "*CLS"), (":SYSTem:SETup?", ":WAVeform:SOURce?;FORMat?;BYTeorder?;UNSigned?;POINts:MODE?")
SUPPLY = (
    ("VOLT:PROT:CLE", "VOLT:PROT 66", "VOLT:RANG P35V", "APPL 19,1", "OUTP 1", "*CLS"),
    ("APPL?", "VOLT:RANG?", "VOLT:PROT?;PROT:STAT?", "OUTP?"),
)
PS1 = ("VOLT 5", "CURR 1", "VOLT:PROT 33", "OUTP 1"), ("VOLT?", "CURR?", "VOLT:PROT?", "VOLT:PROT:STAT?", "OUTP?")


def direct_instruments() -> tuple[Instrument, ...]:
    """Return the simulated instruments, and the example's, in this process."""
    world = World(WORLD, WorldClock(time_scale=TIME_SCALE))
    acquisition = Acquisition(world, TruthLog())
    ps1 = Ps1(load_ohm=100.0)

    def dialect(instrument: ScpiInstrument) -> Callable[[], Connection]:
        def answer(message: bytes) -> bytes | None:
            answered = instrument.receive(message)
            while instrument.unfinished:  # behind what blocks the interface
                answered = instrument.resume()
            return None if answered is None else answered.data

        return lambda: DirectConnection(answer)

    return (
        Instrument(dialect(ScopeDialect(acquisition, Faults())), *SCOPE),
        Instrument(dialect(SupplyDialect(world, Faults())), *SUPPLY),
        Instrument(lambda: DirectConnection(lambda message: ps1(message.decode())), *PS1),
    )


def served_instruments(stack: ExitStack, addresses: BenchAddresses, ps1_resource: str) -> tuple[Instrument, ...]:
    """Return the same at the other end of sockets."""
    adapter = PrologixAdapter(addresses.gpib_adapter)
    stack.callback(adapter.close)

    def visa(resource: str, adapter: PrologixAdapter | None = None) -> Callable[[], Connection]:
        line = SerialLine()
        return lambda: VisaConnection(resource, role="instrument", timeout_s=2.0, adapter=adapter, line=line)

    return (
        Instrument(visa(addresses.oscilloscope), *SCOPE),
        Instrument(visa(addresses.power_supply, adapter), *SUPPLY),
        Instrument(visa(ps1_resource), *PS1),
    )


@dataclass
class Staged:
    """A driver on its instrument."""

    driver: Any
    tap: Tap
    instrument: Instrument

    def state(self) -> list[str]:
        """Return what is set, asked past the tap."""
        session = VisaSession(self.tap.inner)
        return [session.query(question) for question in self.instrument.state]


@contextmanager
def staged(
    driver: Driver, instruments: tuple[Instrument, ...], *, wiring: int = 0, with_record: bool = True
) -> Iterator[Staged]:
    """Make a driver on the instrument that it takes for its own, with a record to read where it is an oscilloscope."""
    for instrument in instruments:
        session = instrument.session()
        tap = Tap(session.connection)
        made = driver.make(VisaSession(tap))
        assert not tap.sent, "making a driver sends nothing"
        try:
            made.identify()
        except WrongInstrument:
            session.close()
            continue
        for message in instrument.reset:
            session.write(message)
        try:
            if driver.protocol is OscilloscopeDriver and with_record:
                _take_a_record(made, WIRINGS[wiring])
            tap.sent.clear()
            yield Staged(made, tap, instrument)
        finally:
            session.close()
        return
    raise AssertionError(f"no instrument here that {driver} takes for its own: serve one")


def _take_a_record(scope: OscilloscopeDriver, settings: OscilloscopeSettings) -> None:
    scope.configure(settings)
    if settings.acquisition is AcquisitionType.AVERAGE:
        return  # nothing but its own verb completes one
    scope.start_single()
    while not scope.is_armed():
        pass
    if settings.segments is None:  # these take a trigger each, from a current that repeats
        scope.force_and_see(deadline_s=5.0, monotonic_ns=time.monotonic_ns)
    while not scope.is_complete():
        pass


@dataclass(frozen=True)
class Verb:
    """A public method of a driver."""

    driver: Driver
    name: str
    wiring: int = field(default=0, compare=False)

    def __str__(self) -> str:
        return f"{self.driver}.{self.name}"

    def call(self, driver: Any, **changed: Any) -> Any:
        """Call it with arguments that the instrument takes, but for those named here."""
        return getattr(driver, self.name)(**{**self._arguments(driver), **changed})

    @property
    def takes_settings(self) -> bool:
        """Whether it is what configures an oscilloscope."""
        return OscilloscopeSettings in typing.get_type_hints(verbs_of(self.driver.cls)[self.name]).values()

    def staged(self, instruments: tuple[Instrument, ...]) -> AbstractContextManager[Staged]:
        """Make its driver on the instrument that it takes for its own, ready for this verb."""
        with_record = not self.takes_settings  # what configures needs nothing before it
        return staged(self.driver, instruments, wiring=self.wiring, with_record=with_record)

    def numbers(self) -> list[str]:
        """Return the names of its parameters that are numbers."""
        hints = typing.get_type_hints(verbs_of(self.driver.cls)[self.name])
        return [name for name, hint in hints.items() if name != "return" and is_number(hint)]

    def _arguments(self, driver: Any) -> dict[str, Any]:
        function = verbs_of(self.driver.cls)[self.name]
        hints = typing.get_type_hints(function)
        volts = itertools.count(20.0)  # each further voltage higher: what protects lies above what it protects
        return {
            name: self._example(name, hints[name], driver, volts)
            for name in inspect.signature(function).parameters
            if name != "self"
        }

    def _example(self, name: str, hint: Any, driver: Any, volts: Iterator[float]) -> Any:
        if is_number(hint):
            unit = name.rpartition("_")[2]
            return next(volts) if unit == "v" else {"a": 1.0, "s": 5.0, "bit": 0}.get(unit, 1)
        kind = next((one for one in typing.get_args(hint) if typing.get_origin(one) is Mapping), hint)
        known: dict[Any, Callable[[], Any]] = {
            bool: lambda: True,
            OscilloscopeSettings: lambda: WIRINGS[self.wiring],
            SupplyRange: lambda: SupplyRange.HIGH,
            FrontPanel: getattr(driver, "front_panel", None),
            Mapping[str, str]: dict,
            Callable[[], int]: lambda: time.monotonic_ns,
        }
        return known[kind]()


def wired(driver: Driver, name: str) -> list[Verb]:
    """Return a verb with each of the wirings that may be its own: one where it is of no oscilloscope."""
    return [
        Verb(driver, name, wiring) for wiring in range(len(WIRINGS) if driver.protocol is OscilloscopeDriver else 1)
    ]


def changes_sent(verb: Verb, instruments: tuple[Instrument, ...]) -> list[str] | None:
    """Return what a verb really sends that is no question; None where it refuses its wiring."""
    with verb.staged(instruments) as stage:
        try:
            verb.call(stage.driver)
        except SettingRefused:
            return None
        return stage.tap.changes


def _sent_by(driver: Driver, name: str, instruments: tuple[Instrument, ...]) -> list[tuple[Verb, list[str]]]:
    """Return what a verb sends with the wirings of a run, or, where it refuses these, with those that it takes."""
    every = wired(driver, name)
    tried = [(verb, changes_sent(verb, instruments)) for verb in every[: len(RUNS)]]
    refuses_runs = {sent is None for _, sent in tried}
    assert len(refuses_runs) == 1, f"{driver}.{name} takes only some of the wirings of a run"
    if every[0].takes_settings or refuses_runs == {True}:
        tried += [(verb, changes_sent(verb, instruments)) for verb in every[len(RUNS) :]]
    taken = [(verb, sent) for verb, sent in tried if sent is not None]
    assert taken, f"{driver}.{name}: no wiring here that it takes: add one"
    return taken


@cache
def sent_by_all() -> tuple[tuple[Verb, list[str]], ...]:
    """Return what every verb of every driver sends that is no question, to instruments in this process."""
    here = direct_instruments()
    return tuple(one for driver in drivers() for name in verbs_of(driver.cls) for one in _sent_by(driver, name, here))


def headers_in(messages: list[str]) -> list[str]:
    """Return the headers of the settings in messages, in order."""
    return [header for message in messages for header, _ in settings_in(message)]
