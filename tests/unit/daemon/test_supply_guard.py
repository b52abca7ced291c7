"""The guard, its alarms and the mark of a crash: what is done about each concern, and what of it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from daemon import supply_guard
from daemon.errors import SupplyRefusal
from daemon.exit_mark import ExitMark
from daemon.sections.safety import ReactionChoice
from daemon.supply_alarm import MOST_ALARMS, Alarm, AlarmFile
from daemon.supply_concerns import ConcernKind
from daemon.supply_guard import SupplyGuard
from instruments.acting import acting, actor
from instruments.audit_log import AuditLog
from instruments.audit_reader import read_audit
from instruments.bench import Bench
from instruments.errors import ConnectionFailed
from tests.unit.daemon.test_supply_concerns import BOUNDS, CC, GOOD, TRIPPED

TOO_HIGH = replace(GOOD, voltage_v=25.0)


def configuration_in(folder: Path) -> Any:
    return SimpleNamespace(storage=SimpleNamespace(directory=folder), bench=SimpleNamespace(name="north"))


@dataclass
class FakeSupply:
    """A supply that can be switched off, if it answers."""

    on: bool = True
    answers: bool = True
    offs: list[str | None] = field(default_factory=list)

    async def is_on(self) -> bool:
        self._answer()
        return self.on

    async def secure(self) -> None:
        self._answer()
        self.offs.append(actor().reason)
        self.on = False

    def _answer(self) -> None:
        if not self.answers:
            raise ConnectionFailed("no way", instrument="power_supply")


@dataclass
class Guarded:
    folder: Path
    reactions: Mapping[str, str] = field(default_factory=dict)
    lost_after_s: float = 0.0

    def __post_init__(self) -> None:
        self.supply = FakeSupply()
        self.alarms = AlarmFile(configuration_in(self.folder))
        bench = SimpleNamespace(supply=self.supply, settings=SimpleNamespace(dry_run=False))
        self.guard = SupplyGuard(
            cast(Bench, bench),
            bounds=BOUNDS,
            reactions={kind: ReactionChoice(self.reactions.get(kind.value, "report")) for kind in ConcernKind},
            alarms=self.alarms,
            audit=AuditLog(self.folder / "audit", bench="north"),
            lost_after_s=self.lost_after_s,
        )

    @property
    def events(self) -> list[tuple[str, str]]:
        return [(line["action"], line["reaction"]) for line in read_audit(self.folder / "audit").lines]


@pytest.fixture
def every_reading_is_an_episode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supply_guard, "EPISODE_S", 0.0)


async def test_a_good_reading_is_no_concern(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path)
    await guarded.guard.see(GOOD)
    guarded.guard.refuse_standing()
    assert (guarded.events, guarded.supply.offs) == ([], [])


async def test_what_is_to_be_reported_is_logged_and_audited_once_an_episode(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded = Guarded(tmp_path)
    for _ in range(3):
        await guarded.guard.see(TOO_HIGH)
    assert guarded.events == [("over_voltage", "report")]
    assert "25 V are measured" in caplog.text
    guarded.guard.refuse_standing()
    monkeypatch.setattr(supply_guard, "EPISODE_S", 0.0)
    await guarded.guard.see(TOO_HIGH)
    assert len(guarded.events) == 2


async def test_a_refusal_lasts_until_it_is_acknowledged_and_over_a_restart(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"over_voltage": "refuse"})
    with acting(run_id="r1"):
        await guarded.guard.see(TOO_HIGH)
    assert guarded.supply.offs == []
    again = Guarded(tmp_path)
    with pytest.raises(SupplyRefusal, match=r"25 V are measured.*`joulebench supply acknowledge`") as refused:
        again.guard.refuse_standing()
    assert refused.value.reason == "supply_alarm"
    (alarm,) = again.alarms.standing()
    assert (alarm.kind, alarm.run_id) == ("over_voltage", "r1")
    assert again.alarms.acknowledge([alarm])
    guarded.guard.refuse_standing()


async def test_what_lasts_is_raised_again_after_it_was_acknowledged(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"over_voltage": "refuse"})
    await guarded.guard.see(TOO_HIGH)
    assert guarded.alarms.acknowledge(guarded.alarms.standing())
    await guarded.guard.see(TOO_HIGH)
    with pytest.raises(SupplyRefusal):
        guarded.guard.refuse_standing()


async def test_an_output_is_switched_off_before_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded = Guarded(tmp_path, {"over_voltage": "output_off"})
    order: list[str] = []
    secure, note = guarded.supply.secure, guarded.guard.note

    async def first() -> None:
        order.append("off")
        await secure()

    async def then(action: str, **facts: Any) -> None:
        order.append(action)
        await note(action, **facts)

    monkeypatch.setattr(guarded.supply, "secure", first)
    monkeypatch.setattr(guarded.guard, "note", then)
    with pytest.raises(SupplyRefusal, match=r"25 V are measured.*; its output is off; find the cause"):
        await guarded.guard.see(TOO_HIGH)
    assert order == ["off", "over_voltage"]
    assert guarded.supply.offs == ["policy over_voltage"]
    with pytest.raises(SupplyRefusal):
        guarded.guard.refuse_standing()


@pytest.mark.usefixtures("every_reading_is_an_episode")
async def test_an_output_that_is_off_is_not_switched_off_again(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"over_voltage": "output_off"})
    for _ in range(2):
        with pytest.raises(SupplyRefusal, match="off already"):
            await guarded.guard.see(replace(TRIPPED, output_on=False))
    assert guarded.supply.offs == []


async def test_an_output_that_cannot_be_switched_off_is_owed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    guarded = Guarded(tmp_path, {"over_voltage": "output_off"})
    guarded.supply.answers = False
    with pytest.raises(SupplyRefusal, match="may be ON"):
        await guarded.guard.see(TOO_HIGH)
    assert "may be ON; look at it" in caplog.text
    assert guarded.guard.is_in_debt
    with pytest.raises(ConnectionFailed):
        await guarded.guard.back()
    guarded.supply.answers = True
    await guarded.guard.back()
    assert guarded.supply.offs == ["policy over_voltage"]
    await guarded.guard.back()
    assert len(guarded.supply.offs) == 1


async def test_what_was_latched_before_the_first_reading_is_older_than_the_daemon(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"cc_excursion": "refuse"})
    await guarded.guard.see(replace(GOOD, events=CC))
    assert guarded.events == []
    await guarded.guard.see(replace(GOOD, events=CC))
    assert guarded.events == [("cc_excursion", "refuse")]


async def test_an_instrument_is_lost_only_once_it_has_been_missing_for_long(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"lost_instrument": "output_off"}, lost_after_s=3600.0)
    await guarded.guard.missing("oscilloscope: no way")
    await guarded.guard.missing("oscilloscope: no way")
    assert (guarded.events, guarded.supply.offs) == ([], [])
    patient = Guarded(tmp_path, {"lost_instrument": "output_off"})
    await patient.guard.missing("oscilloscope: no way")
    assert patient.supply.offs == ["policy lost_instrument"]
    assert patient.events == [("lost_instrument", "output_off")]


async def test_a_supply_that_was_lost_is_switched_off_when_it_is_back(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"lost_instrument": "output_off"})
    guarded.supply.answers = False
    await guarded.guard.missing("power_supply: no way")
    assert guarded.supply.on
    guarded.supply.answers = True
    await guarded.guard.back()
    assert not guarded.supply.on


async def test_being_back_ends_the_time_of_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 0.0
    monkeypatch.setattr(supply_guard.time, "monotonic", lambda: now_s)
    guarded = Guarded(tmp_path, {"lost_instrument": "refuse"}, lost_after_s=10.0)
    await guarded.guard.missing("it")
    now_s = 9.0
    await guarded.guard.back()
    await guarded.guard.missing("it")
    now_s = 18.0
    await guarded.guard.missing("it")
    assert guarded.events == []
    now_s = 19.0
    await guarded.guard.missing("it")
    assert guarded.events == [("lost_instrument", "refuse")]


# Alarms


def alarm_of(text: str) -> Alarm:
    return Alarm(kind="over_voltage", text=text, at_utc_ns=1)


def test_an_alarm_that_the_disk_does_not_take_stands_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms = AlarmFile(configuration_in(tmp_path))
    beside = alarms.path.with_name(alarms.path.name + ".part")
    beside.symlink_to("/dev/full")
    alarms.add(alarm_of("first"))
    assert "stands in memory" in caplog.text
    assert not alarms.path.exists()
    assert [one.text for one in alarms.standing()] == ["first"]
    assert [one.text for one in AlarmFile(configuration_in(tmp_path)).standing()] == ["first"]
    assert [path.name for path in tmp_path.iterdir()] == ["north.alarms.json"]


def test_only_what_was_seen_can_be_acknowledged(tmp_path: Path) -> None:
    alarms = AlarmFile(configuration_in(tmp_path))
    alarms.add(alarm_of("first"))
    seen = alarms.standing()
    alarms.add(alarm_of("second"))
    assert not alarms.acknowledge(seen)
    assert [one.text for one in alarms.standing()] == ["first", "second"]
    assert alarms.acknowledge(alarms.standing())
    assert alarms.standing() == ()


def test_the_first_alarms_are_kept(tmp_path: Path) -> None:
    alarms = AlarmFile(configuration_in(tmp_path))
    for number in range(MOST_ALARMS + 3):
        alarms.add(alarm_of(str(number)))
    assert [one.text for one in alarms.standing()] == [str(number) for number in range(MOST_ALARMS)]


@pytest.mark.parametrize("content", ["", "[{]", '[{"kind": 1}]', "7", "\0"])
def test_a_file_that_cannot_be_read_is_an_alarm(tmp_path: Path, content: str) -> None:
    alarms = AlarmFile(configuration_in(tmp_path))
    alarms.path.write_text(content)
    (alarm,) = alarms.standing()
    assert alarm.kind == "unreadable"
    assert alarms.acknowledge([alarm])
    assert alarms.standing() == ()


# The mark of a crash


def test_a_daemon_that_left_in_order_leaves_no_mark(tmp_path: Path) -> None:
    for _ in range(2):
        mark = ExitMark(configuration_in(tmp_path))
        assert mark.begin() is None
        mark.end()
    assert list(tmp_path.iterdir()) == []


def test_a_daemon_that_did_not_is_known_to_the_next(tmp_path: Path) -> None:
    ExitMark(configuration_in(tmp_path)).begin()
    died = ExitMark(configuration_in(tmp_path)).begin()
    assert died is not None
    assert died.startswith("process ")


def test_a_mark_that_cannot_be_read_is_one(tmp_path: Path) -> None:
    mark = ExitMark(configuration_in(tmp_path))
    mark.path.write_text('{"pi')
    assert mark.begin() == "a process that is not known"


async def test_reactions_are_by_kind(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, {"over_current": "output_off", "cc_excursion": "refuse"})
    await guarded.guard.see(GOOD)
    with pytest.raises(SupplyRefusal, match="lets through"):
        await guarded.guard.see(replace(GOOD, current_a=3.0, events=CC))
    assert guarded.events == [("over_current", "output_off")]
    await guarded.guard.see(replace(GOOD, events=CC))
    assert guarded.events[1:] == [("cc_excursion", "refuse")]
    assert [one.kind for one in guarded.alarms.standing()] == ["over_current", "cc_excursion"]
