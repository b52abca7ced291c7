"""Certificates and conditions that can be, and those that cannot."""

import math
from dataclasses import replace
from typing import Any

import pytest

from calibration.errors import BadCertificate, CalibrationError
from metrology.errors import JoulebenchError
from metrology.estimate import Estimate
from tests.unit.calibration.example_certificate import CERTIFICATE, CONDITIONS, DAY_NS, MADE_NS, certificate


def test_validity_is_half_open() -> None:
    month = certificate(lasting_days=30)
    assert not month.valid_at(MADE_NS - 1)
    assert month.valid_at(MADE_NS)
    assert month.valid_at(MADE_NS + 30 * DAY_NS - 1)
    assert not month.valid_at(MADE_NS + 30 * DAY_NS)


def test_correlation_follows_from_the_covariance() -> None:
    assert CERTIFICATE.random_correlation == pytest.approx(-3.1e-6 / (0.002 * 0.003))
    assert replace(CERTIFICATE, covariance_a=0.002 * 0.003).random_correlation == pytest.approx(1.0)


def test_gain_and_zero_are_the_sum_of_what_is_random_and_what_is_the_references() -> None:
    assert CERTIFICATE.gain.value == 1.0123
    assert CERTIFICATE.gain.standard_uncertainty == pytest.approx(math.hypot(0.002, 0.0015 / math.sqrt(3)))
    # Welch-Satterthwaite: limits are taken as certain, so only the fit's eight degrees are diluted
    ratio = CERTIFICATE.gain.standard_uncertainty / 0.002
    assert CERTIFICATE.gain.degrees_of_freedom == pytest.approx(8.0 * ratio**4)
    assert CERTIFICATE.zero_a.standard_uncertainty == pytest.approx(math.hypot(0.003, 1e-4))


def test_only_a_certificate_made_against_the_supply_shares_its_error() -> None:
    assert CERTIFICATE.shares_supply
    assert not replace(CERTIFICATE, reference="ammeter").shares_supply


def test_exact_gain_has_no_correlation() -> None:
    exact = Estimate(value=1.0, standard_uncertainty=0.0, source="by definition")
    assert certificate(gain_random=exact, covariance_a=0.0).random_correlation == 0.0
    with pytest.raises(BadCertificate, match="covariance_a"):
        certificate(gain_random=exact, covariance_a=1e-12)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"certificate_id": ""}, "certificate_id"),
        ({"certificate_id": "../up"}, r"certificate_id .*'\.\./up'"),
        ({"certificate_id": "line\n"}, "certificate_id"),
        ({"certificate_id": "x" * 65}, "certificate_id"),
        (
            {"gain_random": Estimate(value=-1.0, standard_uncertainty=0.1, source="fit")},
            "gain must be > 0, got -1.0.*wrong way",
        ),
        ({"covariance_a": 7e-6}, "covariance_a must lie within"),
        ({"covariance_a": math.nan}, "covariance_a"),
        ({"valid_until_utc_ns": MADE_NS}, "valid_until_utc_ns must come after"),
    ],
)
def test_certificates_that_cannot_be(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BadCertificate, match=text):
        replace(CERTIFICATE, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"channel": 0}, "channel must lie in 1..4, got 0"),
        ({"channel": 5}, "channel"),
        ({"turns": 0}, "turns must be at least 1, got 0"),
        ({"scale_a_per_div": 0.0}, "scale_a_per_div"),
        ({"scale_a_per_div": math.inf}, "scale_a_per_div"),
        ({"probe_range_v_per_a": -0.1}, "probe_range_v_per_a must be finite and > 0, got -0.1"),
        ({"offset_a": math.nan}, "offset_a must be finite"),
    ],
)
def test_conditions_that_cannot_be(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(BadCertificate, match=text):
        replace(CONDITIONS, **changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"channel": 2}, "channel is 2, not 1"),
        ({"scale_a_per_div": 0.5}, "scale_a_per_div is 0.5, not 0.2"),
        ({"offset_a": 0.0}, "offset_a is 0.0, not 0.5"),
        ({"probe_range_v_per_a": 0.01}, "probe_range_v_per_a is 0.01, not 0.1"),
        ({"turns": 10}, "turns is 10, not 1"),
        ({"acquisition_type": "HRES"}, "acquisition_type is 'HRES', not 'NORM'"),
    ],
)
def test_each_setting_counts(changes: dict[str, Any], text: str) -> None:
    assert CONDITIONS.differences(replace(CONDITIONS, **changes)) == (text,)


def test_the_last_bit_of_a_float_does_not_count() -> None:
    assert CONDITIONS.differences(replace(CONDITIONS, scale_a_per_div=0.1 + 0.1 + 1e-16, offset_a=0.5 + 1e-12)) == ()


def test_errors_are_of_the_one_tree() -> None:
    assert issubclass(BadCertificate, CalibrationError)
    assert issubclass(CalibrationError, JoulebenchError)
