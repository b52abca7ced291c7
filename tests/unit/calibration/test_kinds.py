"""The kinds of certificates: they come back as they went, refuse what cannot be, and are found by what they are for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.certificate import Certificate
from calibration.chain_certificate import ChainCertificate
from calibration.delay_certificate import DelayCertificate
from calibration.document import certificate_to_text, text_to_certificate
from calibration.errors import BadCertificate
from calibration.kinds import KINDS
from calibration.lead_certificate import LeadCertificate
from calibration.selection import SelectionOutcome
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from metrology.estimate import Estimate
from tests.unit.calibration.example_certificate import CERTIFICATE, CIRCUMSTANCES, CONDITIONS, DAY_NS, MADE_NS

ESTIMATE = Estimate(value=0.01, standard_uncertainty=0.001, degrees_of_freedom=17, source="records")
HEADER: dict[str, Any] = {
    name: getattr(CERTIFICATE, name)
    for name in ("made_utc_ns", "valid_from_utc_ns", "valid_until_utc_ns", "provenance")
}
ZERO = ZeroCertificate(
    certificate_id="zero-1",
    zero_a=ESTIMATE,
    noise_a_rms=0.03,
    supply_offset_a=ESTIMATE,
    conditions=CONDITIONS,
    **HEADER,
)
DELAY = DelayCertificate(
    certificate_id="delay-1",
    board="nucleo",
    rise_delay_s=ESTIMATE,
    fall_delay_s=ESTIMATE,
    settling_s=ESTIMATE,
    conditions=CONDITIONS,
    **HEADER,
)
LEAD = LeadCertificate(certificate_id="lead-1", resistance_ohm=ESTIMATE, remote_sense=False, **HEADER)
NUCLEO = replace(CIRCUMSTANCES, board="nucleo")
ALL: tuple[Certificate, ...] = (CERTIFICATE, ZERO, DELAY, LEAD)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.KIND)
def test_each_kind_comes_back_as_it_went(one: Certificate) -> None:
    assert text_to_certificate(certificate_to_text(one)) == one


def test_every_kind_is_here() -> None:
    assert {one.KIND for one in ALL} == set(KINDS)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.KIND)
@pytest.mark.parametrize(
    ("changes", "text"),
    [({"certificate_id": "a b"}, "certificate_id"), ({"valid_until_utc_ns": 0}, "valid_until_utc_ns must come after")],
)
def test_each_kind_refuses_what_cannot_be(one: Certificate, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BadCertificate, match=text):
        replace(one, **changes)


def test_a_bracket_needs_both_its_ends() -> None:
    closed = replace(ZERO, opened_by="zero-0", bracket_drift_a=ESTIMATE)
    assert text_to_certificate(certificate_to_text(closed)) == closed
    with pytest.raises(BadCertificate, match="go together"):
        replace(ZERO, opened_by="zero-0")
    with pytest.raises(BadCertificate, match="noise_a_rms"):
        replace(ZERO, noise_a_rms=-1.0)


def test_remote_sense_leaves_no_resistance() -> None:
    with pytest.raises(BadCertificate, match=r"with remote sense resistance_ohm must be 0, got 0\.01"):
        replace(LEAD, remote_sense=True)


def test_each_is_found_by_what_it_is_for(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    for one in ALL:
        store.add(one)
    for one in ALL:
        assert store.select(type(one), NUCLEO, at_utc_ns=MADE_NS + DAY_NS).certificate == one


def test_none_stands_in_for_another(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    for one in (ZERO, DELAY, LEAD):
        store.add(one)

    def outcome(kind: type[Certificate], *, days: int = 1, **changes: Any) -> SelectionOutcome:
        found = store.select(kind, replace(NUCLEO, **changes), at_utc_ns=MADE_NS + days * DAY_NS)
        assert (found.certificate is None) == (found.outcome is not SelectionOutcome.FOUND)
        return found.outcome

    two_turns = replace(CONDITIONS, turns=2)
    assert outcome(ChainCertificate) is SelectionOutcome.MISSING
    assert outcome(ZeroCertificate, conditions=two_turns) is SelectionOutcome.MISMATCH
    assert outcome(LeadCertificate, conditions=two_turns) is SelectionOutcome.FOUND
    assert outcome(LeadCertificate, remote_sense=True) is SelectionOutcome.MISMATCH
    assert outcome(DelayCertificate, days=900) is SelectionOutcome.EXPIRED
    # what was measured of one board says nothing of another, right or wrong
    assert outcome(DelayCertificate, board="esp") is SelectionOutcome.MISSING


@pytest.mark.parametrize(
    ("setting", "value", "fits"),
    [
        ("channel", 2, False),
        ("acquisition_type", "HRES", False),
        ("probe_range_v_per_a", 0.01, False),
        ("scale_a_per_div", 0.5, True),
        ("offset_a", 1.5, True),
        ("turns", 2, True),
    ],
)
def test_a_delay_holds_for_settings_that_do_not_delay(setting: str, value: Any, fits: bool) -> None:
    measured = replace(NUCLEO, conditions=replace(CONDITIONS, **{setting: value}))
    assert (DELAY.differences(measured) == ()) is fits
    assert CERTIFICATE.differences(measured) != ()


INSTRUMENTS = {
    "oscilloscope": "KEYSIGHT,MSO-X 3024A,MY1,02.50",
    "power_supply": "Agilent,E3645A,0,2.6",
    "probe": "1146B",
}


@pytest.mark.parametrize("role", INSTRUMENTS)
@pytest.mark.parametrize(
    ("one", "roles"),
    [
        (CERTIFICATE, {"oscilloscope", "probe", "power_supply"}),
        (replace(CERTIFICATE, reference="ammeter"), {"oscilloscope", "probe"}),
        (ZERO, {"oscilloscope", "probe", "power_supply"}),
        (replace(ZERO, supply_offset_a=None), {"oscilloscope", "probe"}),
        (DELAY, {"oscilloscope", "probe"}),
        (LEAD, {"power_supply"}),
    ],
    ids=["gain by supply", "gain by ammeter", "zero", "zero at an open jaw", "delay", "lead"],
)
def test_another_instrument_is_told_with_both_names(one: Certificate, roles: set[str], role: str) -> None:
    made = replace(one, provenance=replace(one.provenance, instruments=INSTRUMENTS))
    assert made.differences(replace(NUCLEO, instruments=INSTRUMENTS)) == ()
    other = replace(NUCLEO, instruments=INSTRUMENTS | {role: "other"})
    found = made.differences(other)
    assert found == ((f"{role} is 'other', not {INSTRUMENTS[role]!r}",) if role in roles else ())
    # what is not known cannot differ
    assert made.differences(NUCLEO) == ()
    bare = replace(one, provenance=replace(one.provenance, instruments={}))
    assert bare.differences(other) == ()


def test_a_calibration_made_late_holds_as_long_back_as_forward() -> None:
    span_ns = LEAD.valid_until_utc_ns - LEAD.valid_from_utc_ns
    first_ns = LEAD.valid_from_utc_ns - span_ns
    assert [LEAD.valid_late(first_ns + shift) for shift in (-1, 0, span_ns - 1, span_ns)] == [False, True, True, False]
