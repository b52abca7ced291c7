"""The kinds of certificates: they come back as they went, refuse what cannot be, and are found by what they are for."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calibration.certificate import Certificate
from calibration.delay_certificate import DelayCertificate
from calibration.document import certificate_to_text, text_to_certificate
from calibration.errors import BadCertificate
from calibration.kinds import KINDS
from calibration.lead_certificate import LeadCertificate
from calibration.selection import SelectionOutcome
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from metrology.estimate import Estimate
from tests.unit.calibration.example_certificate import CERTIFICATE, CONDITIONS, DAY_NS, MADE_NS

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
    at = MADE_NS + DAY_NS
    assert store.select(CONDITIONS, at_utc_ns=at).certificate == CERTIFICATE
    assert store.select_zero(CONDITIONS, at_utc_ns=at).certificate == ZERO
    assert store.select_delay("nucleo", at_utc_ns=at).certificate == DELAY
    assert store.select_lead(remote_sense=False, at_utc_ns=at).certificate == LEAD


def test_none_stands_in_for_another(tmp_path: Path) -> None:
    store = CertificateStore(tmp_path)
    for one in (ZERO, DELAY, LEAD):
        store.add(one)
    at = MADE_NS + DAY_NS
    assert store.select(CONDITIONS, at_utc_ns=at).outcome is SelectionOutcome.MISSING
    other_turns = store.select_zero(replace(CONDITIONS, turns=2), at_utc_ns=at)
    assert (other_turns.outcome, other_turns.certificate) == (SelectionOutcome.MISMATCH, None)
    other_board = store.select_delay("esp", at_utc_ns=at)
    assert other_board.outcome is SelectionOutcome.MISMATCH
    assert "board is 'nucleo', not 'esp'" in other_board.text
    assert store.select_lead(remote_sense=True, at_utc_ns=at).outcome is SelectionOutcome.MISMATCH
    assert store.select_delay("nucleo", at_utc_ns=MADE_NS + 900 * DAY_NS).outcome is SelectionOutcome.EXPIRED
