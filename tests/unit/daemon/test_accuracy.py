"""Accuracy: what certificates make of the influences, and what a missing one makes of the result."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.certificate import Provenance
from calibration.delay_certificate import DelayCertificate
from calibration.lead_certificate import LeadCertificate
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from daemon.accuracy import Accuracy, accuracy_of
from daemon.bench_configuration import circumstances
from daemon.certificate_choice import CertificateChooser
from daemon.configuration import Configuration
from daemon.errors import CertificateDemandError
from daemon.sections.storage import MissingCertificate
from metrology.estimate import Estimate, Shape
from metrology.quality import ReasonCode, Verdict
from tests.unit.calibration.example_certificate import DAY_NS, MADE_NS, certificate
from tests.unit.daemon.test_measurement import configuration

NOW_NS = MADE_NS + DAY_NS
HEADER: dict[str, Any] = {
    "made_utc_ns": MADE_NS,
    "valid_from_utc_ns": MADE_NS,
    "valid_until_utc_ns": MADE_NS + 30 * DAY_NS,
    "provenance": Provenance(procedure="test", made_by="nobody", software_version="0"),
}


def zero(name: str = "zero-1", **changes: Any) -> ZeroCertificate:
    fields: dict[str, Any] = {
        "certificate_id": name,
        "zero_a": Estimate(value=-0.020, standard_uncertainty=1e-4, degrees_of_freedom=30, source="records"),
        "noise_a_rms": 0.03,
        "supply_offset_a": Estimate(value=0.003, standard_uncertainty=5e-5, degrees_of_freedom=9, source="readings"),
        "conditions": certificate().conditions,
    }
    return ZeroCertificate(**(HEADER | fields | changes))


LEAD = LeadCertificate(
    certificate_id="lead-1",
    resistance_ohm=Estimate(value=0.0512, standard_uncertainty=4e-4, degrees_of_freedom=6, source="slope"),
    remote_sense=False,
    **HEADER,
)


def accuracy(
    folder: Path,
    *stored: Any,
    missing: str = "degrade",
    demanded: tuple[str, ...] = (),
    at_utc_ns: int = NOW_NS,
    by_marker: bool = True,
    **changes: Any,
) -> Accuracy:
    store = CertificateStore(folder / "certificates")
    for one in stored:
        store.add(one)
    plain = configuration(folder)
    calibration = plain.calibration.model_copy(update={"missing": MissingCertificate(missing)})
    chosen: Configuration = plain.model_copy(update={"calibration": calibration})
    measured = replace(circumstances(chosen, board="b"), **changes)
    choice = CertificateChooser(chosen).choose(measured, at_utc_ns=at_utc_ns, demanded=demanded, by_marker=by_marker)
    return accuracy_of(chosen, choice, measured, supply_voltage_v=19.0)


def codes(found: Accuracy) -> list[str]:
    return [one.code.value for one in found.reasons]


def test_a_chain_calibrated_against_the_supply_shares_its_error(tmp_path: Path) -> None:
    found = accuracy(tmp_path, certificate())
    influences = found.influences
    assert found.reasons == ()
    assert influences.probe_gain.value == pytest.approx(1.0123)
    assert influences.gain_from_ammeter
    assert influences.gain_reference_error is None
    assert influences.ammeter is not None
    assert influences.ammeter.gain_error.half_width == pytest.approx(0.0015 / 1.0123)
    assert influences.ammeter.gain_error.shape is Shape.RECTANGULAR
    # the channel's own errors are in the certificate already
    assert influences.scope_gain_error.standard_uncertainty == influences.scope_offset_a.standard_uncertainty == 0
    # with no zero of its own, nothing is known of the supply's offset, so nothing can be followed
    assert not influences.follow_zero
    assert influences.probe_zero_a.value == pytest.approx(-0.0217)
    assert abs(influences.gain_zero_correlation) < abs(certificate().random_correlation)


def test_a_chain_calibrated_against_something_better_errs_by_itself(tmp_path: Path) -> None:
    influences = accuracy(tmp_path, certificate(reference="ammeter")).influences
    assert not influences.gain_from_ammeter
    assert influences.gain_reference_error is not None
    assert influences.ammeter is not None
    assert influences.ammeter.gain_error.half_width == pytest.approx(0.0015)


def test_a_zero_makes_the_drift_followable_and_its_closing_the_bracket(tmp_path: Path) -> None:
    closing = zero(
        "zero-2",
        made_utc_ns=NOW_NS + 5,
        valid_from_utc_ns=NOW_NS + 5,
        opened_by="zero-1",
        bracket_drift_a=Estimate(value=-0.002, standard_uncertainty=1e-4, source="zero-1"),
    )
    found = accuracy(tmp_path, certificate(), zero(), closing, LEAD)
    influences = found.influences
    assert influences.follow_zero
    assert influences.probe_zero_a.value == pytest.approx(-0.020)
    assert influences.gain_zero_correlation == 0
    assert influences.bracket_drift_a == pytest.approx(-0.002)
    assert influences.drift_a.half_width == pytest.approx(0.002)
    assert influences.lead_resistance_ohm == LEAD.resistance_ohm
    assert [one.certificate_id for one in found.certificates] == ["one", "zero-1", "zero-2", "lead-1"]
    assert len(set(found.checksums)) == 4
    assert influences.names["probe zero"] == "zero-1"
    assert influences.names["supply ammeter"] == "b: supply ammeter"


def test_a_jaw_that_was_opened_says_nothing_of_the_supply(tmp_path: Path) -> None:
    influences = accuracy(tmp_path, certificate(), zero(supply_offset_a=None)).influences
    assert not influences.follow_zero
    assert influences.probe_zero_a.value == pytest.approx(-0.020)


def test_a_zero_without_a_chain_changes_nothing(tmp_path: Path) -> None:
    found = accuracy(tmp_path, zero(), missing="accept").influences
    assert found.probe_zero_a.half_width == pytest.approx(0.05)
    assert not found.follow_zero


@pytest.mark.parametrize(
    ("changes", "missing", "code"),
    [
        (None, "degrade", ReasonCode.CALIBRATION_MISSING),
        ({"lasting_days": 1}, "degrade", ReasonCode.CALIBRATION_EXPIRED),
        ({"turns": 2}, "degrade", ReasonCode.CALIBRATION_MISMATCH),
        ({"turns": 2}, "accept", ReasonCode.CALIBRATION_MISMATCH),
        (None, "accept", None),
        ({"lasting_days": 1}, "accept", None),
    ],
)
def test_what_is_missing_is_said_as_configured(
    tmp_path: Path, changes: dict[str, Any] | None, missing: str, code: ReasonCode | None
) -> None:
    stored = []
    if changes is not None:
        turns = changes.get("turns")
        made = certificate(lasting_days=changes.get("lasting_days", 30))
        stored = [made if turns is None else replace(made, conditions=replace(made.conditions, turns=turns))]
    found = accuracy(tmp_path, *stored, missing=missing)
    assert [one.code for one in found.reasons] == ([] if code is None else [code])
    assert all(one.verdict is Verdict.DEGRADED for one in found.reasons)
    # the data sheet's limits stand then
    assert found.influences.probe_gain.half_width == pytest.approx(0.03)


def test_a_demanded_certificate_is_used_and_says_where_it_does_not_hold(tmp_path: Path) -> None:
    old = certificate("old", day=-100)
    found = accuracy(tmp_path, certificate("new"), old, demanded=("old",))
    assert [one.certificate_id for one in found.certificates] == ["old"]
    assert [one.code for one in found.reasons] == [ReasonCode.CALIBRATION_EXPIRED]
    assert accuracy(tmp_path, demanded=("new",)).reasons == ()


def test_declared_limits_without_certificates(tmp_path: Path) -> None:
    influences = accuracy(tmp_path, missing="accept").influences
    assert influences.supply_voltage_error_v.half_width == pytest.approx(0.0005 * 19 + 0.005)
    assert influences.scope_offset_a.half_width == pytest.approx(0.1 * 0.2 + 0.002 * 10 + 0.01 * 0.5)
    assert influences.ammeter is not None
    assert math.isinf(influences.ammeter.offset_a.degrees_of_freedom)


DELAY = DelayCertificate(
    certificate_id="delay-1",
    board="b",
    rise_delay_s=Estimate(value=1e-5, standard_uncertainty=1e-6, source="edges"),
    fall_delay_s=Estimate(value=2e-5, standard_uncertainty=1e-6, source="edges"),
    settling_s=Estimate(value=1e-4, standard_uncertainty=1e-6, source="edges"),
    conditions=certificate().conditions,
    **HEADER,
)
LATER: dict[str, Any] = {
    "made_utc_ns": NOW_NS + DAY_NS,
    "valid_from_utc_ns": NOW_NS + DAY_NS,
    "valid_until_utc_ns": NOW_NS + 3 * DAY_NS,
}
PAST: dict[str, Any] = {"valid_until_utc_ns": MADE_NS + 1}
SCOPE = {"oscilloscope": "KEYSIGHT,MSO-X 3024A,MY1,02.50"}
OTHER_SCOPE = {"oscilloscope": "KEYSIGHT,MSO-X 3024A,MY2,02.50"}


def of_scope(one: Any) -> Any:
    return replace(one, provenance=replace(one.provenance, instruments=SCOPE))


def test_a_certificate_of_another_oscilloscope_is_not_used(tmp_path: Path) -> None:
    found = accuracy(tmp_path, of_scope(certificate()), instruments=OTHER_SCOPE, missing="accept")
    assert found.certificates == ()
    assert codes(found) == ["calibration_mismatch"]
    assert "MY1" in found.reasons[0].text
    assert "MY2" in found.reasons[0].text


@pytest.mark.parametrize("missing", ["degrade", "accept"])
@pytest.mark.parametrize(
    ("one", "mismatched"),
    [
        (zero(), {"conditions": replace(certificate().conditions, channel=2)}),
        (LEAD, {"remote_sense": True}),
        (DELAY, {"conditions": replace(certificate().conditions, channel=2)}),
    ],
    ids=lambda one: getattr(one, "KIND", ""),
)
def test_an_unfit_zero_lead_or_delay_is_told(
    tmp_path: Path, one: Any, mismatched: dict[str, Any], missing: str
) -> None:
    without = replace(one, resistance_ohm=replace(one.resistance_ohm, value=0.0)) if one is LEAD else one
    assert codes(accuracy(tmp_path / "none", certificate(), missing=missing)) == []
    assert codes(accuracy(tmp_path / "fits", certificate(), one, missing=missing)) == []
    expired = [] if missing == "accept" else ["calibration_expired"]
    assert codes(accuracy(tmp_path / "past", certificate(), replace(one, **PAST), missing=missing)) == expired
    other = accuracy(tmp_path / "other", certificate(), replace(without, **mismatched), missing=missing)
    assert codes(other) == ["calibration_mismatch"]
    assert other.certificates == (certificate(),)


def test_what_is_not_used_cannot_be_wrong(tmp_path: Path) -> None:
    """A delay where no marker was, a lead that is sensed, a zero without a chain."""
    past = replace(DELAY, **PAST)
    assert codes(accuracy(tmp_path / "delay", certificate(), past, by_marker=False)) == []
    assert codes(accuracy(tmp_path / "board", certificate(), replace(past, board="other"))) == []
    assert codes(accuracy(tmp_path / "lead", certificate(), LEAD, remote_sense=True)) == []
    assert codes(accuracy(tmp_path / "zero", replace(zero(), **PAST))) == ["calibration_missing"]


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (replace(DELAY, board="other"), "board is 'b', not 'other'"),
        (
            replace(LEAD, remote_sense=True, resistance_ohm=Estimate(value=0.0, standard_uncertainty=0.0, source="x")),
            "remote_sense is False, not True",
        ),
        (of_scope(zero("other")), "MY2"),
    ],
    ids=["delay of another board", "lead with remote sense", "zero of another oscilloscope"],
)
def test_a_wrong_certificate_is_used_on_demand_and_told(tmp_path: Path, one: Any, text: str) -> None:
    found = accuracy(tmp_path, certificate(), one, demanded=(one.certificate_id,), instruments=OTHER_SCOPE)
    assert one in found.certificates
    assert codes(found) == ["calibration_mismatch"]
    assert text in found.reasons[0].text


def test_a_demanded_chain_takes_no_reason_from_a_demanded_zero(tmp_path: Path) -> None:
    wrong = zero(conditions=replace(certificate().conditions, channel=2))
    for demanded in (("one", "zero-1"), ("zero-1", "one")):
        found = accuracy(tmp_path / demanded[0], certificate(lasting_days=1), wrong, demanded=demanded)
        assert sorted(codes(found)) == ["calibration_expired", "calibration_mismatch"]


def test_two_of_a_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateDemandError, match="one and two are both of the kind 'gain'"):
        accuracy(tmp_path, certificate("one"), certificate("two"), demanded=("one", "two"))


def test_a_late_calibration_holds_back_as_long_as_forward(tmp_path: Path) -> None:
    late = certificate("late", day=11, lasting_days=10)
    found = accuracy(tmp_path, late, demanded=("late",))
    assert found.certificates == (late,)
    assert found.reasons == ()
    # of itself it is not taken: the run's own day has the word
    assert codes(accuracy(tmp_path)) == ["calibration_expired"]
    too_late = certificate("too-late", day=12, lasting_days=10)
    assert codes(accuracy(tmp_path, too_late, demanded=("too-late",))) == ["calibration_expired"]


def test_a_bracket_that_was_opened_after_the_run_does_not_enclose_it(tmp_path: Path) -> None:
    late = zero("late", **LATER)
    drift_a = Estimate(value=-0.002, standard_uncertainty=1e-4, source="late")
    closing = zero(
        "closing", **(LATER | {"made_utc_ns": NOW_NS + 2 * DAY_NS}), opened_by="late", bracket_drift_a=drift_a
    )
    found = accuracy(tmp_path, certificate(), late, closing, demanded=("late",))
    assert late in found.certificates
    assert closing not in found.certificates
    assert found.influences.bracket_drift_a is None


def test_a_newer_zero_at_an_open_jaw_leaves_what_is_known_of_the_supply(tmp_path: Path) -> None:
    newer = zero("jaw", made_utc_ns=MADE_NS + 5, supply_offset_a=None, zero_a=replace(zero().zero_a, value=-0.03))
    found = accuracy(tmp_path, certificate(), zero(), newer)
    influences = found.influences
    assert influences.follow_zero
    assert influences.probe_zero_a.value == pytest.approx(-0.03)
    assert influences.ammeter is not None
    assert influences.ammeter.offset_a == zero().supply_offset_a
    assert [one.certificate_id for one in found.certificates] == ["one", "jaw", "zero-1"]
    assert (influences.names["probe zero"], influences.names["supply offset"]) == ("jaw", "zero-1")


def test_limits_are_those_of_the_settings_that_were_measured_with(tmp_path: Path) -> None:
    plain = circumstances(configuration(tmp_path)).conditions
    measured = replace(plain, turns=2, scale_a_per_div=0.5, offset_a=1.0)
    influences = accuracy(tmp_path, missing="accept", conditions=measured, remote_sense=True).influences
    assert influences.scope_offset_a.half_width == pytest.approx(0.1 * 0.5 + 0.002 * 5 + 0.01 * 1.0)
    assert influences.probe_zero_a.half_width == pytest.approx(0.05 / 2)
    assert influences.probe_drift_a.half_width == pytest.approx(0.005 / 2)
    assert (influences.scope_centre_a, influences.turns) == (1.0, 2)
    assert influences.lead_resistance_ohm.standard_uncertainty == 0


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        ({"channel": 2}, {"scope gain", "scope offset"}),
        ({"scale_a_per_div": 0.5}, {"scope gain", "scope offset"}),
        ({"offset_a": 1.0}, {"scope offset"}),
        ({"probe_range_v_per_a": 0.01, "scale_a_per_div": 2.0}, {"probe gain", "gain reference", "probe zero"}),
        ({"turns": 2, "scale_a_per_div": 0.1}, set()),
    ],
)
def test_an_error_is_shared_only_where_it_is_the_same(tmp_path: Path, changes: dict[str, Any], own: set[str]) -> None:
    plain = circumstances(configuration(tmp_path)).conditions
    one = accuracy(tmp_path, missing="accept").influences.names
    other = accuracy(tmp_path, missing="accept", conditions=replace(plain, **changes)).influences.names
    assert {term for term in one if one[term] != other[term]} == own


def test_another_instrument_has_errors_of_its_own(tmp_path: Path) -> None:
    one = accuracy(tmp_path, missing="accept", instruments=SCOPE).influences.names
    other = accuracy(tmp_path, missing="accept", instruments=OTHER_SCOPE).influences.names
    assert {term for term in one if one[term] != other[term]} == {"scope gain", "scope offset", "sample clock"}
