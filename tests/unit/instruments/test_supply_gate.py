"""The supply's gate: each change is written down before and after, and none escapes it."""

import inspect
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from instruments.audit_log import AuditLog
from instruments.audit_reader import read_audit
from instruments.errors import AuditFailed, InstrumentTimeout, SettingRefused
from instruments.power_supply import PowerSupply
from instruments.power_supply_driver import PowerSupplyDriver
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_gate import FRESH_S, SupplyGate
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading
from tests.unit.instruments.test_audit_log import NOVEMBER_NS, full_disk

ENVELOPE = SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0)
CHANGES: dict[str, Callable[[PowerSupplyDriver], None]] = {
    "output_on": lambda supply: supply.set_output(True),
    "set_point": lambda supply: supply.set_point(voltage_v=12.0, current_a=None),
    "set_protected_point": lambda supply: supply.set_protected_point(voltage_v=12.0, current_a=1.0, ovp_v=14.0),
    "clear_trip": lambda supply: supply.clear_trip(),
    "output_off": lambda supply: supply.set_output(False),
}
"""Every verb that changes a supply, by the name that the audit log has for it."""
VERBS = {name for name, _ in inspect.getmembers(PowerSupplyDriver, inspect.isfunction) if not name.startswith("_")}


@dataclass
class FakeSupply:
    """A driver that keeps its settings, and says what it was asked and told."""

    voltage_v: float = 5.0
    current_a: float = 0.5
    ovp_v: float = 30.0
    on: bool = False
    done: list[str] = field(default_factory=list)
    fails: dict[str, Exception] = field(default_factory=dict)
    when_told: Callable[[], None] = lambda: None

    def _does(self, verb: str) -> None:
        self.done.append(verb)
        if verb not in ("read_state", "set_points"):
            self.when_told()
        if verb in self.fails:
            raise self.fails[verb]

    def identify(self) -> str:
        return "fake"

    def read_state(self, *, take_events: bool) -> SupplyReading:
        assert not take_events, "the gate leaves what is latched for whoever measures"
        self._does("read_state")
        return SupplyReading(
            voltage_v=self.voltage_v * self.on,
            current_a=0.1,
            mode=SupplyMode.CV,
            output_on=self.on,
            ovp_tripped=False,
            events=Questionable(0),
        )

    def set_points(self) -> tuple[float, float]:
        self._does("set_points")
        return self.voltage_v, self.current_a

    def set_point(self, *, voltage_v: float | None, current_a: float | None) -> None:
        self._does("set_point")
        self.voltage_v = self.voltage_v if voltage_v is None else voltage_v
        self.current_a = self.current_a if current_a is None else current_a

    def set_protected_point(self, *, voltage_v: float | None, current_a: float | None, ovp_v: float) -> None:
        self.set_point(voltage_v=voltage_v, current_a=current_a)
        self.ovp_v = ovp_v

    def set_output(self, on: bool) -> None:
        self._does("set_output")
        self.on = on

    def clear_trip(self) -> None:
        self._does("clear_trip")

    def settle(self) -> None: ...

    def further_settings(self) -> dict[str, Any]:
        return {"ovp_v": self.ovp_v}

    @property
    def told(self) -> list[str]:
        return [verb for verb in self.done if verb not in ("read_state", "set_points")]


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Gated:
    supply: FakeSupply
    log: AuditLog
    clock: Clock = field(default_factory=Clock)
    dry_run: bool = False

    def __post_init__(self) -> None:
        self.gate = SupplyGate(
            self.supply, envelope=ENVELOPE, audit=self.log, dry_run=self.dry_run, monotonic_s=self.clock
        )

    @property
    def lines(self) -> list[dict[str, Any]]:
        return list(read_audit(self.log.directory).lines)

    @property
    def stages(self) -> list[tuple[str, str]]:
        return [(line["stage"], line["action"]) for line in self.lines]


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit", bench="north", utc_ns=lambda: NOVEMBER_NS)


@pytest.fixture
def gated(log: AuditLog) -> Gated:
    return Gated(FakeSupply(), log)


def test_every_verb_of_a_driver_is_known_here_as_a_change_or_a_question() -> None:
    """A verb that is added to the protocol must be thought of here, and in the gate."""
    changing = {"set_point", "set_protected_point", "set_output", "clear_trip"}
    assert changing | {"identify", "read_state", "set_points", "settle"} == VERBS
    public = {name for name in dir(SupplyGate) if not name.startswith("_")}
    assert public == VERBS, "the gate has no other way through"


@pytest.mark.parametrize("action", CHANGES)
def test_a_change_is_on_the_disk_before_it_is_sent_and_after(gated: Gated, action: str) -> None:
    written: list[list[tuple[str, str]]] = []
    gated.supply.when_told = lambda: written.append(gated.stages)
    CHANGES[action](gated.gate)
    assert written == [[("intended", action)]]
    assert gated.stages == [("intended", action), ("done", action)]
    intended, done = gated.lines
    assert intended["change"] == done["change"]


def test_a_line_says_from_what_to_what(gated: Gated) -> None:
    gated.gate.set_protected_point(voltage_v=12.0, current_a=None, ovp_v=14.0)
    done = gated.lines[-1]
    assert done["wanted"] == {"voltage_v": 12.0, "ovp_v": 14.0}
    kept = {"output_on": False, "current_a": 0.5, "ovp_tripped": False}
    assert done["before"] == kept | {"voltage_v": 5.0, "ovp_v": 30.0}
    assert done["after"] == kept | {"voltage_v": 12.0, "ovp_v": 14.0}


def test_switching_off_asks_nothing_first(gated: Gated) -> None:
    gated.supply.on = True
    gated.gate.set_output(False)
    assert gated.supply.done[0] == "set_output"
    assert "before" not in gated.lines[0]
    gated.gate.set_output(False)
    assert gated.lines[2]["before"]["output_on"] is False, "what was known is told"


def test_what_was_read_back_just_now_is_not_asked_again(gated: Gated) -> None:
    gated.gate.set_point(voltage_v=6.0, current_a=None)
    gated.supply.done.clear()
    gated.gate.set_point(voltage_v=7.0, current_a=None)
    assert gated.supply.done == ["set_point", "read_state", "set_points"]
    gated.clock.now_s += FRESH_S + 0.1
    gated.supply.voltage_v = 9.0  # by hand, at the front panel
    gated.gate.set_point(voltage_v=8.0, current_a=None)
    assert gated.lines[-1]["before"]["voltage_v"] == 9.0


def test_a_change_that_fails_is_written_with_the_reason(gated: Gated) -> None:
    gated.supply.fails["set_output"] = InstrumentTimeout("no answer", instrument="power_supply", operation="OUTPut 1")
    with pytest.raises(InstrumentTimeout):
        gated.gate.set_output(True)
    assert gated.stages == [("intended", "output_on"), ("failed", "output_on")]
    assert gated.lines[-1]["error"] == "InstrumentTimeout: power_supply: OUTPut 1: no answer"


def test_a_supply_that_cannot_be_asked_first_is_not_changed(gated: Gated) -> None:
    gated.supply.fails["read_state"] = InstrumentTimeout("no answer", instrument="power_supply")
    with pytest.raises(InstrumentTimeout):
        gated.gate.set_output(True)
    assert (gated.supply.told, gated.lines) == ([], [])
    gated.gate.set_output(False)  # which asks nothing
    assert gated.supply.told == ["set_output"]
    assert "no answer" in gated.lines[-1]["unread"]


@pytest.mark.parametrize("action", sorted(set(CHANGES) - {"output_off"}))
def test_a_full_disk_prevents_every_change(gated: Gated, action: str) -> None:
    full_disk(gated.log)
    with pytest.raises(AuditFailed, match="No space left on device"):
        CHANGES[action](gated.gate)
    assert gated.supply.told == []


def test_a_full_disk_does_not_prevent_switching_off(gated: Gated) -> None:
    gated.supply.on = True
    path = full_disk(gated.log)
    gated.gate.set_output(False)
    assert not gated.supply.on
    path.unlink()
    gated.gate.set_point(voltage_v=1.0, current_a=None)
    assert gated.stages[:2] == [("intended", "output_off"), ("done", "output_off")]
    assert gated.lines[0]["late"] is True


def test_a_disk_that_hangs_does_not_prevent_switching_off(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("instruments.supply_gate.OFF_WAITS_S", 0.05)
    answers, off, sync = threading.Event(), threading.Event(), os.fsync

    def hang(handle: int) -> None:
        assert answers.wait(60)
        sync(handle)

    monkeypatch.setattr(os, "fsync", hang)
    gated.supply.on = True
    gated.supply.when_told = off.set
    switching = threading.Thread(target=gated.gate.set_output, args=(False,))
    switching.start()
    try:
        assert off.wait(60), "it was sent although the disk had not answered"
    finally:
        answers.set()
        switching.join(60)
    assert not gated.supply.on
    assert sorted(gated.stages) == [("done", "output_off"), ("intended", "output_off")]


def test_an_audit_log_that_is_broken_does_not_prevent_switching_off(
    gated: Gated, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gated.supply.on = True

    def broken() -> None:
        raise ValueError("a defect")

    monkeypatch.setattr("instruments.audit_log.actor", broken)
    with pytest.raises(ValueError, match="a defect"):  # of the line after it
        gated.gate.set_output(False)
    assert not gated.supply.on
    assert "the audit log broke" in caplog.text


def test_what_a_driver_tells_need_be_no_json(gated: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeSupply, "further_settings", lambda _: {"range": Path("P35V")})
    gated.gate.set_point(voltage_v=6.0, current_a=None)
    gated.gate.set_output(False)
    assert [line["after"]["range"] for line in gated.lines if line["stage"] == "done"] == ["P35V", "P35V"]


@pytest.mark.parametrize("action", CHANGES)
def test_a_dry_run_sends_nothing_and_says_what_it_would_have(log: AuditLog, action: str) -> None:
    gated = Gated(FakeSupply(on=True), log, dry_run=True)
    CHANGES[action](gated.gate)
    assert gated.supply.told == []
    assert gated.stages == [("would", action)]


@pytest.mark.parametrize(
    ("change", "bound"),
    [
        (lambda supply: supply.set_point(voltage_v=21.0, current_a=None), "voltage_v 21 lies outside"),
        (lambda supply: supply.set_point(voltage_v=None, current_a=2.1), "current_a 2.1 lies outside"),
        (lambda supply: supply.set_protected_point(voltage_v=15.0, current_a=None, ovp_v=14.0), "must lie above 15 V"),
    ],
)
def test_a_dry_run_refuses_what_would_be_refused(log: AuditLog, change: Any, bound: str) -> None:
    gated = Gated(FakeSupply(), log, dry_run=True)
    with pytest.raises(SettingRefused, match=bound):
        change(gated.gate)
    assert gated.lines == []


def test_a_dry_run_never_refuses_to_note_an_output_that_would_be_switched_off(log: AuditLog) -> None:
    gated = Gated(FakeSupply(voltage_v=30.0), log, dry_run=True)  # set by hand, outside the envelope
    gated.gate.set_output(False)
    assert gated.stages == [("would", "output_off")]


def test_without_a_log_nothing_is_asked_that_was_not_before(tmp_path: Path) -> None:
    supply = FakeSupply()
    gate = SupplyGate(supply, envelope=ENVELOPE)
    for change in CHANGES.values():
        change(gate)
    assert supply.done == supply.told


def test_this_projects_driver_tells_range_and_protection(served: Any) -> None:
    from tests.unit.instruments.scripted_instrument import echo
    from tests.unit.instruments.test_power_supply import LIVE

    keep = echo({**LIVE, "VOLTage:PROTection:STATe?": "1"})
    for header in ("VOLTage:RANGe P35V", "VOLTage:PROTection +2.2E+01"):
        keep(header)
    session, _ = served(keep, role="power_supply")
    told = PowerSupply(session, ENVELOPE).further_settings()
    assert json.loads(json.dumps(told)) == {"range": "P35V", "ovp_v": 22.0, "ovp_on": True}
