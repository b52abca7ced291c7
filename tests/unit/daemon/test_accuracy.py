"""Accuracy: what certificates make of the influences, and what a missing one makes of the result."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.certificate import Provenance
from calibration.lead_certificate import LeadCertificate
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from daemon.accuracy import Accuracy, accuracy_of
from daemon.bench_configuration import conditions
from daemon.certificate_choice import CertificateChooser
from daemon.configuration import Configuration
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
    folder: Path, *stored: Any, missing: str = "degrade", demanded: tuple[str, ...] = (), at_utc_ns: int = NOW_NS
) -> Accuracy:
    store = CertificateStore(folder / "certificates")
    for one in stored:
        store.add(one)
    plain = configuration(folder)
    calibration = plain.calibration.model_copy(update={"missing": MissingCertificate(missing)})
    chosen: Configuration = plain.model_copy(update={"calibration": calibration})
    choice = CertificateChooser(chosen).choose(conditions(chosen), board="b", at_utc_ns=at_utc_ns, demanded=demanded)
    return accuracy_of(chosen, choice, supply_voltage_v=19.0)


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
