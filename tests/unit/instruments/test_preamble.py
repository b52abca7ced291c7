import pytest

from instruments.errors import BadAnswer
from instruments.preamble import parse_preamble

WORD = "+1,+0,+100000,+1,+2.00000000E-005,-2.00000000E-001,+0,+3.14070352E-005,+8.00000000E-001,+32768"


def parse(text: str):
    return parse_preamble(text, instrument="oscilloscope", operation="preamble of CHANnel1")


def test_a_preamble_gives_time_base_and_scale() -> None:
    preamble = parse(WORD)
    assert preamble.time_base.origin_s == -0.2
    assert preamble.time_base.interval_s == 2e-5
    assert preamble.time_base.sample_count == 100_000
    assert preamble.scale.origin == 0.8
    assert preamble.scale.reference_counts == 32768


def test_the_real_preamble_of_the_same_family_parses() -> None:
    preamble = parse("4,0,62500,1,1.6E-08,-5.0E-04,0,7.851759E-04,0,32768")
    # Eight divisions of 5 V are 199 codes of a byte (reference 1.6).
    assert preamble.y_increment * 256 * 199 == pytest.approx(40.0, rel=1e-6)


def test_whole_numbers_may_come_in_scientific_form() -> None:
    assert parse(WORD.replace("+100000", "+1.0E+5")).points == 100_000


def test_a_reference_other_than_the_first_point_shifts_the_axis() -> None:
    preamble = parse(WORD.replace("-2.00000000E-001,+0", "+0.00000000E+000,+10000"))
    assert preamble.time_base.origin_s == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "10 fields, got 1"),
        (WORD.rsplit(",", 1)[0], "10 fields, got 9"),
        (WORD.replace("+100000", "many"), "points must be a number"),
        (WORD.replace("+100000", "+0"), "sample_count"),
        (WORD.replace("+2.00000000E-005", "+0.0"), "interval_s"),
        (WORD.replace("+2.00000000E-005", "+9.9E+37"), "xinc must be a number"),
        (WORD.replace("-2.00000000E-001", "nan"), "xorig must be a number"),
        (WORD.replace("-2.00000000E-001", "-2_0"), "xorig must be a number"),
        (WORD.replace("+100000", "-100000"), "points must be a whole number in 0..1000000000"),
        (WORD.replace("+100000", "+1000.5"), "points must be a whole number"),
        (WORD.replace("+32768", "+65536"), "yref must be a whole number in 0..65535"),
        (WORD.replace("+3.14070352E-005", "0"), "non-zero increment"),
    ],
)
def test_a_senseless_preamble_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadAnswer, match=reason) as caught:
        parse(text)
    assert caught.value.operation == "preamble of CHANnel1"
