"""Certificate documents: they come back as they went, and show every change."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.document import certificate_to_text, sha256_of, text_to_certificate
from calibration.errors import BadCertificate
from metrology.estimate import Estimate
from tests.unit.calibration.example_certificate import CERTIFICATE, certificate

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


def document() -> dict[str, Any]:
    return dict(json.loads(certificate_to_text(CERTIFICATE)))


def resealed(document: dict[str, Any]) -> str:
    """Return a changed document whose checksum was rewritten with it."""
    canonical = json.dumps(document["certificate"], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return json.dumps(document | {"sha256": hashlib.sha256(canonical.encode()).hexdigest()})


def test_it_comes_back_as_it_went() -> None:
    assert text_to_certificate(certificate_to_text(CERTIFICATE)) == CERTIFICATE


@given(FINITE, st.floats(0.0, 1e6), st.floats(1.0, 1e9) | st.just(float("inf")), st.text(max_size=20))
def test_any_certificate_comes_back(value: float, uncertainty: float, freedom: float, note: str) -> None:
    zero_a = Estimate(value=value, standard_uncertainty=uncertainty, degrees_of_freedom=freedom, source=note)
    one = certificate(zero_random_a=zero_a, covariance_a=0.0)
    assert text_to_certificate(certificate_to_text(one)) == one


def test_it_is_plain_json_that_other_programs_read() -> None:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    content = json.loads(certificate_to_text(CERTIFICATE), parse_constant=refuse)["certificate"]
    assert content["gain_random"]["degrees_of_freedom"] == 8.0
    assert content["zero_random_a"]["degrees_of_freedom"] is None
    assert content["conditions"]["acquisition_type"] == "NORM"


def test_layout_does_not_matter_to_the_checksum() -> None:
    shuffled = json.dumps(dict(reversed(document().items())), indent=None, ensure_ascii=True)
    assert text_to_certificate(shuffled) == CERTIFICATE


def test_checksum_is_that_of_the_document() -> None:
    assert document()["sha256"] == sha256_of(CERTIFICATE)
    assert sha256_of(CERTIFICATE) != sha256_of(certificate(covariance_a=0.0))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("gain_random", "value"), 1.0),
        (("gain_random", "degrees_of_freedom"), None),
        (("covariance_a",), 0.0),
        (("conditions", "turns"), 10),
        (("valid_until_utc_ns",), 2_000_000_000_000_000_000),
        (("provenance", "made_by"), "somebody else"),
    ],
)
def test_a_changed_value_is_seen(path: tuple[str, ...], value: object) -> None:
    changed = document()
    holder = changed["certificate"]
    for key in path[:-1]:
        holder = holder[key]
    assert holder[path[-1]] != value
    holder[path[-1]] = value
    with pytest.raises(BadCertificate, match=r"was changed after it was written.*restore it"):
        text_to_certificate(json.dumps(changed))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("NaN", "NaN is no JSON number"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is no certificate"),
        ('{"format": "something else"}', "is no certificate"),
        ('{"format": "joulebench-certificate", "version": 2}', "`version` must be 1, got 2"),
        ('{"format": "joulebench-certificate", "version": 1}', "`certificate` must be an object"),
        ('{"format": "joulebench-certificate", "version": 1, "certificate": {}}', "was changed"),
    ],
    ids=["empty", "cut", "nan", "depth", "list", "format", "version", "nothing", "no checksum"],
)
def test_texts_that_are_no_certificate(text: str, problem: str) -> None:
    with pytest.raises(BadCertificate, match=problem):
        text_to_certificate(text)


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(BadCertificate, match="is not JSON"):
        text_to_certificate(b"\xff\xfe\x00")


def test_content_that_cannot_be_is_named_by_its_field() -> None:
    changed = document()
    changed["certificate"]["conditions"]["turns"] = 0
    with pytest.raises(BadCertificate, match=r"conditions: .*turns must be at least 1"):
        text_to_certificate(resealed(changed))


def test_missing_content_is_named() -> None:
    changed = document()
    del changed["certificate"]["gain_random"]
    with pytest.raises(BadCertificate, match=r"gain_random: .*required"):
        text_to_certificate(resealed(changed))


def test_an_unknown_kind_is_named() -> None:
    changed = document()
    changed["certificate"]["kind"] = "weather"
    with pytest.raises(
        BadCertificate, match=r"`kind` must be one of \['delay', 'gain', 'lead', 'zero'\], got 'weather'"
    ):
        text_to_certificate(resealed(changed))
