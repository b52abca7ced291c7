import pytest

from instruments.errors import BadAnswer, InstrumentReported, InstrumentTimeout, SettingRefused, WrongInstrument
from instruments.power_supply import PowerSupply
from instruments.supply_envelope import SupplyEnvelope, SupplyRange
from instruments.supply_reading import Questionable, SupplyMode
from tests.unit.instruments.scripted_instrument import Answer, echo

IDENTITY = "Agilent Technologies,E3645A,0,2.6-6.1-2.1"
ENVELOPE = SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.0)
NO_ERROR = '+0,"No error"'
LIVE = {
    "*IDN?": IDENTITY,
    ":SYSTem:ERRor?": NO_ERROR,
    "OUTPut?": "1",
    "MEASure:VOLTage?": "+1.90012000E+01",
    "MEASure:CURRent?": "+7.10000000E-01",
    "STATus:QUEStionable:CONDition?": "+2",
    "STATus:QUEStionable?": "+2",
    "VOLTage:PROTection:TRIPped?": "0",
}


class Supply:
    """A supply left at 19 V, 1.5 A, in its low range, with its output on."""

    def __init__(self, served, overrides: dict[str, str] | None = None, clamped: dict[str, str] | None = None) -> None:
        keep: Answer = echo({**LIVE, **(overrides or {})}, clamped)
        for header in ("VOLTage +1.9E+01", "CURRent +1.5E+00", "VOLTage:RANGe P35V"):
            keep(header)
        self.session, self.instrument = served(keep, role="power_supply")
        self.driver = PowerSupply(self.session, ENVELOPE)

    @property
    def commands(self) -> list[str]:
        return [message for message in self.instrument.received if not message.endswith("?")]


def test_opening_and_identifying_leaves_a_live_output_alone(served) -> None:
    supply = Supply(served)
    assert supply.driver.identify() == IDENTITY
    supply.driver.read_state()
    supply.session.close()
    assert supply.commands == []


def test_another_instrument_at_the_address_is_named(served) -> None:
    supply = Supply(served, {"*IDN?": "Agilent Technologies,E3631A,0,2.1-5.0-1.0"})
    with pytest.raises(WrongInstrument, match=r"power_supply: .*expected E3645A .*E3631A"):
        supply.driver.identify()


def test_a_reading_holds_what_the_supply_measures(served) -> None:
    reading = Supply(served).driver.read_state()
    assert reading.voltage_v == 19.0012
    assert reading.current_a == 0.71
    assert reading.mode is SupplyMode.CV
    assert reading.output_on
    assert (reading.ovp_tripped, reading.tripped, reading.cc_excursion) == (False, False, False)


@pytest.mark.parametrize(
    ("condition", "output", "mode"),
    [
        ("+1", "1", SupplyMode.CC),
        ("+2", "1", SupplyMode.CV),
        ("+3", "1", SupplyMode.FAULT),
        ("+0", "0", SupplyMode.OFF),
        ("+0", "1", SupplyMode.UNREGULATED),
        ("+514", "1", SupplyMode.CV),
    ],
)
def test_the_condition_register_tells_the_mode(served, condition: str, output: str, mode: SupplyMode) -> None:
    supply = Supply(served, {"STATus:QUEStionable:CONDition?": condition, "OUTPut?": output})
    assert supply.driver.read_state().mode is mode


@pytest.mark.parametrize(
    ("events", "excursion", "tripped"),
    [("+2", False, False), ("+3", True, False), ("+514", False, True), ("+18", False, True), ("+0", False, False)],
)
def test_what_happened_in_between_is_not_lost(served, events: str, excursion: bool, tripped: bool) -> None:
    reading = Supply(served, {"STATus:QUEStionable?": events}).driver.read_state()
    assert (reading.cc_excursion, reading.tripped) == (excursion, tripped)
    assert reading.events == Questionable(int(events))


def test_a_held_trip_counts_even_without_an_event(served) -> None:
    reading = Supply(served, {"VOLTage:PROTection:TRIPped?": "1"}).driver.read_state()
    assert reading.ovp_tripped
    assert reading.tripped


def test_a_set_point_is_sent_and_read_back(served) -> None:
    supply = Supply(served)
    supply.driver.set_point(voltage_v=12.0, current_a=1.0)
    assert supply.commands == ["CURRent 1", "VOLTage 12"], "the limit holds before the voltage rises"
    assert supply.driver.set_points() == (12.0, 1.0)


def test_what_is_not_named_stays(served) -> None:
    supply = Supply(served)
    supply.driver.set_point(voltage_v=5.0)
    assert supply.commands == ["VOLTage 5"]


@pytest.mark.parametrize(
    ("point", "text"),
    [
        ({"voltage_v": 20.1}, r"voltage_v 20\.1 lies outside the configured envelope, which ends at 20"),
        ({"current_a": 2.1}, r"current_a 2\.1 lies outside the configured envelope"),
        ({"voltage_v": -1.0}, "voltage_v must be finite and 0 or more"),
        ({"voltage_v": float("nan")}, "voltage_v must be finite"),
        ({"voltage_v": 30.0, "current_a": 3.0}, r"voltage_v 30 .*; current_a 3 "),
    ],
)
def test_a_set_point_outside_the_envelope_is_never_sent(served, point: dict[str, float], text: str) -> None:
    supply = Supply(served)
    with pytest.raises(SettingRefused, match=text):
        supply.driver.set_point(**point)
    assert supply.commands == []


def test_a_set_point_outside_the_range_is_never_sent(served) -> None:
    supply = Supply(served)
    supply.driver.envelope = SupplyEnvelope(max_voltage_v=60.0, max_current_a=2.0)
    with pytest.raises(SettingRefused, match=r"outside range P35V, which ends at 36\.05"):
        supply.driver.set_point(voltage_v=40.0)
    assert supply.commands == []


def test_a_set_point_that_was_clamped_is_refused(served) -> None:
    supply = Supply(served, clamped={"VOLTage": "+5.0E+00"})
    with pytest.raises(SettingRefused, match="sent 'VOLTage 12', read back"):
        supply.driver.set_point(voltage_v=12.0)


def test_an_error_of_the_supply_is_raised(served) -> None:
    supply = Supply(served, {":SYSTem:ERRor?": '-222,"Data out of range"'})
    with pytest.raises(InstrumentReported, match="Data out of range"):
        supply.driver.set_point(voltage_v=12.0)


def test_a_range_that_would_clamp_a_live_output_is_refused(served) -> None:
    supply = Supply(served)
    with pytest.raises(SettingRefused, match="lower the set-points first"):
        supply.driver.set_range(SupplyRange.HIGH)  # 1.5 A are more than the high range's 1.339 A
    assert supply.commands == []
    supply.driver.set_point(current_a=1.0)
    supply.driver.set_range(SupplyRange.HIGH)
    assert supply.driver.output_range() is SupplyRange.HIGH


def test_a_range_too_low_for_the_set_voltage_is_refused(served) -> None:
    supply = Supply(served, clamped={"VOLTage:RANGe": "P60V", "VOLTage": "+4.0E+01", "CURRent": "+1.0E+00"})
    with pytest.raises(SettingRefused, match=r"ends at 36\.05 V and 2\.266 A, set are 40 V and 1 A"):
        supply.driver.set_range(SupplyRange.LOW)
    assert supply.commands == []


def test_an_unknown_range_is_a_bad_answer(served) -> None:
    with pytest.raises(BadAnswer, match="P35V or P60V"):
        Supply(served, clamped={"VOLTage:RANGe": "P20V"}).driver.output_range()


def test_the_protection_is_set_above_the_voltage_and_switched_on(served) -> None:
    supply = Supply(served)
    supply.driver.set_ovp(22.0)
    assert supply.commands == ["VOLTage:PROTection 22", "VOLTage:PROTection:STATe 1"]


@pytest.mark.parametrize("level", [19.0, 5.0, 66.1, float("nan")])
def test_a_protection_that_trips_at_once_is_refused(served, level: float) -> None:
    supply = Supply(served)
    with pytest.raises(SettingRefused, match="above the set voltage of 19 V"):
        supply.driver.set_ovp(level)
    assert supply.commands == []


@pytest.mark.parametrize(
    ("point", "commands"),
    [
        ({"voltage_v": 20.0, "ovp_v": 22.0}, ["VOLTage:PROTection 22", "VOLTage:PROTection:STATe 1", "VOLTage 20"]),
        ({"voltage_v": 5.0, "ovp_v": 6.0}, ["VOLTage 5", "VOLTage:PROTection 6", "VOLTage:PROTection:STATe 1"]),
        ({"ovp_v": 20.0}, ["VOLTage:PROTection 20", "VOLTage:PROTection:STATe 1"]),
    ],
)
def test_the_protection_never_trips_on_the_way(served, point: dict[str, float], commands: list[str]) -> None:
    supply = Supply(served, {"OUTPut?": "0"})
    supply.driver.set_protected_point(**point)
    assert supply.commands == commands


@pytest.mark.parametrize("point", [{"ovp_v": 19.0}, {"voltage_v": 12.0, "ovp_v": 12.0}, {"ovp_v": 66.5}])
def test_a_level_that_would_trip_is_refused_before_anything_is_sent(served, point: dict[str, float]) -> None:
    supply = Supply(served)
    with pytest.raises(SettingRefused, match="ovp_v: must lie above the voltage"):
        supply.driver.set_protected_point(**point)
    assert supply.commands == []


def test_the_output_is_not_switched_on_outside_the_envelope(served) -> None:
    supply = Supply(served, clamped={"VOLTage": "+2.4E+01"})
    with pytest.raises(SettingRefused, match="voltage_v 24 lies outside"):
        supply.driver.set_output(on=True)
    assert supply.commands == []


def test_the_output_can_always_be_switched_off(served) -> None:
    supply = Supply(served, {"OUTPut?": "0"}, clamped={"VOLTage": "+2.4E+01"})
    supply.driver.set_output(on=False)
    assert supply.commands == ["OUTPut 0"]


def test_an_output_that_does_not_come_on_is_refused(served) -> None:
    supply = Supply(served, {"OUTPut?": "0"})
    with pytest.raises(SettingRefused, match="sent 'OUTPut 1', read back '0'"):
        supply.driver.set_output(on=True)


def test_a_trip_is_cleared_on_request(served) -> None:
    supply = Supply(served)
    supply.driver.clear_trip()
    assert supply.commands == ["VOLTage:PROTection:CLEar"]


def test_a_trip_is_not_cleared_into_a_board_that_would_not_survive(served) -> None:
    supply = Supply(served, clamped={"VOLTage": "+2.4E+01"})
    with pytest.raises(SettingRefused, match="voltage_v 24 lies outside"):
        supply.driver.clear_trip()
    assert supply.commands == []


def test_a_trip_whose_cause_is_still_there_is_told(served) -> None:
    supply = Supply(served, {"VOLTage:PROTection:TRIPped?": "1"})
    with pytest.raises(SettingRefused, match="tripped again at once"):
        supply.driver.clear_trip()


@pytest.mark.parametrize("bounds", [(0.0, 1.0), (62.0, 1.0), (20.0, 0.0), (20.0, 2.3), (float("nan"), 1.0)])
def test_an_envelope_beyond_the_supply_is_refused(bounds: tuple[float, float]) -> None:
    with pytest.raises(SettingRefused, match="must lie in"):
        SupplyEnvelope(max_voltage_v=bounds[0], max_current_a=bounds[1])


def test_an_output_settles_where_it_is_set(served) -> None:
    Supply(served).driver.settle(deadline_s=1.0)


def test_an_output_that_stays_elsewhere_does_not_settle(served) -> None:
    supply = Supply(served, {"MEASure:VOLTage?": "+1.70000000E+01", "STATus:QUEStionable:CONDition?": "+1"})
    with pytest.raises(InstrumentTimeout, match=r"not reached the set 19 V within 0\.01 s \(17 V, cc\)"):
        supply.driver.settle(deadline_s=0.01)


def test_an_output_that_is_off_is_not_waited_for(served) -> None:
    Supply(served, {"MEASure:VOLTage?": "0", "OUTPut?": "0"}).driver.settle(deadline_s=0.0)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("MEASure:VOLTage?", "1.9E+37"),
        ("MEASure:CURRent?", "-71"),
        ("OUTPut?", "7"),
        ("VOLTage:PROTection:TRIPped?", "0.1"),
        ("STATus:QUEStionable?", "-1"),
        ("STATus:QUEStionable:CONDition?", "1E9"),
    ],
)
def test_a_reading_that_cannot_be_the_supplys_is_refused(served, question: str, answer: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        Supply(served, {question: answer}).driver.read_state()
    assert caught.value.operation == question


@pytest.mark.parametrize(("question", "answer"), [("VOLTage?", "-19"), ("CURRent?", "1E9")])
def test_a_set_point_that_cannot_be_is_refused(served, question: str, answer: str) -> None:
    with pytest.raises(BadAnswer) as caught:
        Supply(served, {question: answer}).driver.set_points()
    assert caught.value.operation == question
