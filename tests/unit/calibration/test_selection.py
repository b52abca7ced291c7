"""Which certificate a run may use, and why it may use none."""

from dataclasses import replace

from calibration.chain_certificate import ChainCertificate
from calibration.selection import Selection, SelectionOutcome, select
from metrology.quality import ReasonCode
from tests.unit.calibration.example_certificate import CIRCUMSTANCES, CONDITIONS, DAY_NS, MADE_NS, certificate

TEN_TURNS = replace(CONDITIONS, turns=10, scale_a_per_div=0.02)


def selected(*certificates: ChainCertificate, day: int) -> Selection[ChainCertificate]:
    return select(certificates, CIRCUMSTANCES, at_utc_ns=MADE_NS + day * DAY_NS)


def test_the_newest_that_fits_and_holds() -> None:
    found = selected(certificate("old"), certificate("new", day=3), certificate("mid", day=2), day=5)
    assert found.outcome is SelectionOutcome.FOUND
    assert found.certificate == certificate("new", day=3)
    assert "new" in found.text


def test_a_newer_one_for_other_settings_does_not_count() -> None:
    assert selected(certificate("fits"), certificate("other", day=4, conditions=TEN_TURNS), day=5).certificate == (
        certificate("fits")
    )


def test_an_older_one_that_still_holds_stands_in_for_a_newer_that_expired() -> None:
    found = selected(certificate("long", lasting_days=365), certificate("short", day=1, lasting_days=1), day=10)
    assert found.certificate == certificate("long", lasting_days=365)


def test_none_at_all() -> None:
    found = selected(day=0)
    assert (found.outcome, found.certificate) == (SelectionOutcome.MISSING, None)
    assert "calibrate the bench" in found.text


def test_expired() -> None:
    found = selected(certificate("one", lasting_days=5), day=5)
    assert (found.outcome, found.certificate) == (SelectionOutcome.EXPIRED, None)
    assert found.text == "certificate one has expired; calibrate again"


def test_not_yet() -> None:
    found = selected(certificate("one", day=2), day=1)
    assert found.outcome is SelectionOutcome.EXPIRED
    assert "holds not yet" in found.text


def test_mismatch_names_the_settings() -> None:
    found = selected(certificate("other", conditions=TEN_TURNS), day=1)
    assert (found.outcome, found.certificate) == (SelectionOutcome.MISMATCH, None)
    assert "turns is 1, not 10" in found.text
    assert "scale_a_per_div is 0.2, not 0.02" in found.text


def test_an_expired_one_for_other_settings_is_no_mismatch() -> None:
    assert selected(certificate("other", conditions=TEN_TURNS), day=400).outcome is SelectionOutcome.MISSING


def test_outcomes_are_reason_codes_of_the_quality_gates() -> None:
    assert SelectionOutcome.MISSING == ReasonCode.CALIBRATION_MISSING
    assert SelectionOutcome.MISMATCH == ReasonCode.CALIBRATION_MISMATCH
