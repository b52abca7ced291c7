"""Quantities for people: two digits of the uncertainty, the value to the same place, never wider than asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.quantity_text import percent_text, quantity_text, short_value_text

ANY = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "u95", "text"),
    [
        (None, None, "-"),
        (0.314159, 0.0123, "0.314 ± 0.012"),
        (0.314159, 0.000996, "0.3142 ± 0.0010"),
        (2.08, 2.0, "2.1 ± 2.0"),
        (13.2, 0.52, "13.20 ± 0.52"),
        (1234.5, 67.0, "1234 ± 67"),
        (1347.2, 172.0, "1350 ± 170"),
        (1347.2, 99.9, "1350 ± 100"),
        (1.2345678e-6, 3.4e-8, "0.000001235 ± 0.000000034"),
        (-0.01, 0.02, "-0.010 ± 0.020"),
        (-0.3, 172.0, "0 ± 170"),
        (0.5, 0.0, "0.5"),
        (0.5, None, "0.5"),
        (0.5, float("nan"), "0.5"),
        (0.5, float("inf"), "0.5"),
    ],
)
def test_value_and_uncertainty_end_at_the_same_place(value: float | None, u95: float | None, text: str) -> None:
    assert quantity_text(value, u95) == text


def test_a_unit_stands_once_behind_both() -> None:
    assert quantity_text(2.08, 2.0, unit="J") == "2.1 ± 2.0 J"
    assert quantity_text(0.5, None, unit="J") == "0.5 J"
    assert quantity_text(None, None, unit="J") == "-"


@pytest.mark.parametrize(
    ("value", "u95", "text"),
    [
        (528.23, 65.0, "528"),
        (1347.2, 172.0, "1350"),
        (0.0123456, 0.00012, "0.01235"),
        (1234567.89, 0.01, "1.235e6"),
        (-123456789.0, 0.5, "-1.23e8"),
        (-1.6e-300, 1e-302, "-2e-300"),
    ],
)
def test_a_short_value_loses_digits_before_it_grows(value: float, u95: float, text: str) -> None:
    assert short_value_text(value, u95, width=7) == text


@given(value=ANY, u95=ANY)
def test_a_short_value_fits_whatever_it_is(value: float, u95: float) -> None:
    assert len(short_value_text(value, u95, width=7)) <= 7
    assert short_value_text(value, u95, width=7) != "?"


@pytest.mark.parametrize(
    ("value", "u95", "text"),
    [
        (528.0, 65.0, "12"),
        (-1.0, 0.005, "0.50"),
        (1.0, 0.00099, "<0.1"),
        (1.0, 1.234, "120"),
        (1.0, 12.0, ">999"),
        (0.0, 1.0, ">999"),
        (1.0, None, "-"),
        (1.0, 0.0, "-"),
        (None, None, "-"),
    ],
)
def test_percent_of_the_value(value: float | None, u95: float | None, text: str) -> None:
    assert percent_text(value, u95) == text


@given(value=ANY, u95=ANY)
def test_percent_fits_into_four_characters(value: float, u95: float) -> None:
    assert len(percent_text(value, u95)) <= 4
