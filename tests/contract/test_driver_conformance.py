"""Every driver against the rules, whoever wrote it: found by what it does, without a list of exemptions.

Documentation: each public function begins with an imperative, says what it raises, and names the unit of each number.
Behaviour, at the other end of real sockets: what is out of range is refused by name, value and bound, and changes
nothing; each setting that is really sent is read back; an instrument that clamps it in silence is found out.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest

from instruments.bench_settings import BenchSettings, VoltageChannel
from instruments.current_probe import CurrentProbe, ProbeAccuracy
from instruments.errors import BadBlock, InstrumentError, InstrumentReported, SettingRefused
from instruments.installed_driver import OWN_OSCILLOSCOPES, OWN_POWER_SUPPLIES
from instruments.oscilloscope_driver import OscilloscopeDriver
from instruments.oscilloscope_settings import TriggerSettings
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.prologix_adapter import PrologixAdapter
from instruments.simulated.bench import SimulatedBenchThread
from tests.contract.driver_discovery import ENVELOPE, Documented, Driver, drivers, public_classes, public_functions
from tests.contract.driver_documentation import (
    field_problems,
    is_number,
    number_problems,
    undocumented_errors,
    verb_problem,
)
from tests.contract.driver_stage import (
    WORLD,
    Instrument,
    Verb,
    headers_in,
    sent_by_all,
    served_instruments,
    settings_in,
    staged,
)
from tests.contract.own_supply import Ps1
from tests.unit.instruments.scripted_instrument import ScriptedInstrument

BOARD = 31
SENT = sent_by_all()
CHANGING = [(verb, sent) for verb, sent in SENT if sent]
"""Verbs that send more than questions; over sockets it is the same (tested below)."""
SETTINGS = list({f"{verb} {header}": (verb, header) for verb, sent in SENT for header in headers_in(sent)}.items())
NUMBERS = [(verb, name) for verb in dict.fromkeys(verb for verb, _ in SENT) for name in verb.numbers()]
OUT_OF_RANGE = {
    "bit": (-1, 8, 10**6),
    "ns": (-1,),
    "s": (math.nan, math.inf, -math.inf, -1.0, 1e9),
    "v": (math.nan, math.inf, -math.inf, -1.0, 66.5, 1e9),
    "a": (math.nan, math.inf, -math.inf, -1.0, 2.25, 1e9),
}
"""By a parameter's unit; no protection goes beyond 66 V, and the envelope ends at 2.2 A."""
NO_IMPERATIVES = (
    "", "Sets the voltage.", "The voltage.", "A voltage in volt.", "Voltage to set.", "Setting of the voltage.",
    "Set of commands.", "Control loop.", "Return value.", "Measurement of it.", "Measure: the voltage.", "Reads it.",
    "Output switch.", "Control", "Will set the voltage.", "This sets it.", "Measured voltage.", "Getter.",
)  # fmt: skip
NO_NUMBER = (math.nan, math.inf, -math.inf, 1e30)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Instrument, ...]]:
    """Every instrument behind a socket of its own, for all tests: each test starts it from the same settings."""
    with ExitStack() as stack:
        bench = stack.enter_context(SimulatedBenchThread(WORLD, board_number=BOARD))
        ps1 = stack.enter_context(ScriptedInstrument(Ps1(load_ohm=100.0)))
        yield served_instruments(stack, bench.addresses, ps1.resource)


def named(values: list[Any]) -> Any:
    return pytest.mark.parametrize("what", values, ids=str)


# What is looked at


def test_the_drivers_that_the_bench_makes_are_among_those_found() -> None:
    found = {driver.cls for driver in drivers()}
    assert {*OWN_OSCILLOSCOPES.values(), *OWN_POWER_SUPPLIES.values()} <= found
    assert "Ps1Supply" in {cls.__name__ for cls in found}, "what an entry point names"
    assert {driver.protocol for driver in drivers()} == {OscilloscopeDriver, PowerSupplyDriver}
    owners = {one.owner for one in public_functions()}
    assert {OscilloscopeDriver, PowerSupplyDriver, PrologixAdapter, *found} <= owners
    assert CurrentProbe in public_classes()


# What the documentation must say


@named(list(public_functions()))
def test_a_docstring_says_what_is_done_in_which_unit_and_what_is_raised(what: Documented) -> None:
    assert not verb_problem(what.function.__doc__)
    assert number_problems(what.function) == []
    assert undocumented_errors(what.function, what.owner) == []


@pytest.mark.parametrize("doc", NO_IMPERATIVES)
def test_what_is_no_imperative_is_seen(doc: str) -> None:
    assert verb_problem(doc)


@named(list(public_classes()))
def test_a_field_names_its_unit(what: type) -> None:
    assert field_problems(what) == []


class _Planted:
    """A driver that does everything wrong."""

    def read(self, deadline: float) -> float:
        """Read it."""
        return self._checked(deadline)

    def _checked(self, value: float) -> float:
        try:
            raise BadBlock("caught below", instrument="planted")
        except BadBlock:
            if value > 1:
                raise SettingRefused("too much", instrument="planted") from None
        return value


def test_what_is_not_documented_is_seen() -> None:
    assert undocumented_errors(_Planted.read, _Planted) == ["SettingRefused"]
    assert number_problems(_Planted.read) == ["parameter deadline", "what it returns"]


# What a driver must do


@named(list(drivers()))
def test_opening_and_asking_changes_nothing(served, what: Driver) -> None:
    with staged(what, served) as stage:
        before = stage.state()
        stage.tap.sent.clear()
        stage.driver.identify()
        assert not stage.tap.changes
        assert stage.state() == before


@pytest.mark.parametrize(("verb", "here"), CHANGING, ids=[f"{verb}-{verb.wiring}" for verb, _ in CHANGING])
def test_every_setting_is_read_back_after_it_was_sent(served, verb: Verb, here: list[str]) -> None:
    with verb.staged(served) as stage:
        verb.call(stage.driver)
        sent = stage.tap.sent
    assert headers_in(sent) == headers_in(here)
    for number, message in enumerate(sent):
        for header, _ in settings_in(message):
            assert f"{header}?" in sent[number:], header


@pytest.mark.parametrize(("verb", "header"), [one for _, one in SETTINGS], ids=[name for name, _ in SETTINGS])
def test_a_setting_that_is_clamped_in_silence_is_refused(served, verb: Verb, header: str) -> None:
    with verb.staged(served) as stage:
        stage.tap.clamps = header
        with pytest.raises(SettingRefused) as caught:
            verb.call(stage.driver)
        value = next(value for message in stage.tap.sent for own, value in settings_in(message) if own == header)
    for part in (header, value, "read back"):
        assert part in str(caught.value)


@named([verb for verb, sent in SENT if any("#" in message for message in sent) and not verb.wiring])
def test_a_memory_image_that_is_refused_is_reported(served, what: Verb) -> None:
    with what.staged(served) as stage:
        wrong = replace(stage.driver.front_panel(), setup=b"no set-up")
        with pytest.raises(InstrumentReported, match="-161"):
            what.call(stage.driver, panel=wrong)


@pytest.mark.parametrize(("verb", "name"), NUMBERS, ids=str)
def test_a_value_out_of_range_is_refused_and_changes_nothing(served, verb: Verb, name: str) -> None:
    with verb.staged(served) as stage:
        before = stage.state()
        for value in OUT_OF_RANGE.get(name.rpartition("_")[2], NO_NUMBER):
            stage.tap.sent.clear()
            with pytest.raises(SettingRefused) as caught:
                verb.call(stage.driver, **{name: value})
            assert not stage.tap.changes
            assert stage.state() == before
            assert_tells(str(caught.value), name, value)


def assert_tells(text: str, name: str, value: float) -> None:
    """Check that an error names the setting, the value, and a bound beside it."""
    assert any(word in text for word in name.split("_") if len(word) > 2), text
    shown = [one for one in (repr(value), f"{value:g}") if one in text]
    assert shown, text
    assert any(sign.isdigit() for sign in text.replace(shown[0], "")), f"no bound in {text!r}"


# What drivers and their bench are made from

BENCH = BenchSettings(
    oscilloscope_resource="TCPIP0::127.0.0.1::5025::SOCKET",
    power_supply_resource="GPIB0::5::INSTR",
    envelope=ENVELOPE,
    probe=CurrentProbe(accuracy=ProbeAccuracy(gain_fraction_limit=0.03, zero_limit_a=0.05, noise_a_rms=0.03)),
    voltage=VoltageChannel(),
    trigger=TriggerSettings(source="CHANnel1", level=0.3),
)
"""Every part of a bench, each with a value."""
Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, type]]:
    """Yield the way to every number in a declaration, and what kind of number it is."""
    if is_dataclass(value):
        for one in fields(value):
            yield from leaves(getattr(value, one.name), (*path, one.name))
    elif isinstance(value, tuple):
        yield from (leaf for number, part in enumerate(value) for leaf in leaves(part, (*path, number)))
    elif is_number(type(value)):
        yield path, type(value)


LEAVES = list(leaves(BENCH))


def changed(value: Any, path: Path, leaf: Any) -> Any:
    """Return a declaration with one number changed, made anew from the inside out."""
    if not path:
        return leaf
    first, *rest = path
    if isinstance(first, int):
        return (*value[:first], changed(value[first], tuple(rest), leaf), *value[first + 1 :])
    return replace(value, **{first: changed(getattr(value, first), tuple(rest), leaf)})


@pytest.mark.parametrize(("path", "kind"), LEAVES, ids=[".".join(map(str, path)) for path, _ in LEAVES])
def test_a_declaration_that_cannot_be_is_refused(path: Path, kind: type) -> None:
    for value in NO_NUMBER if kind is float else (-1, 10**6):
        with pytest.raises(SettingRefused) as caught:
            changed(BENCH, path, value)
        assert_tells(str(caught.value), str(path[-1]), value)


@pytest.mark.parametrize("read_timeout_s", [*NO_NUMBER, 0.0, 3.001, -1.0])
def test_an_adapter_that_would_wait_for_ever_is_refused(read_timeout_s: float) -> None:
    with pytest.raises(InstrumentError) as caught:
        PrologixAdapter("PRLGX-TCPIP0::127.0.0.1::1234::INTFC", read_timeout_s=read_timeout_s)
    assert_tells(str(caught.value), "read_timeout_s", read_timeout_s)
