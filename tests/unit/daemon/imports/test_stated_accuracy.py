"""Stated accuracy: given, or the maker's word, or unknown; never made up."""

import pytest

from daemon.imports.stated_accuracy import StatedAccuracy
from metrology.errors import MetrologyError


def test_a_js220_has_its_makers_word_for_the_current_alone() -> None:
    found = StatedAccuracy().with_defaults("Jetperch JS220 001234")
    assert (found.gain, found.offset_a) == (0.0025, 1.5e-3)
    assert "JS220" in found.current_source
    assert found.missing == ("--voltage-gain-accuracy PERCENT", "--voltage-offset-accuracy VOLTS")


def test_what_is_given_goes_before_it() -> None:
    given = StatedAccuracy(gain=0.001)
    assert given.with_defaults("Jetperch JS220 001234") == given


@pytest.mark.parametrize(
    "identity", ["Jetperch JS110 1", "Nordic Semiconductor PPK2", "Qoitech Otii Arc", "Keysight MSO-X", ""]
)
def test_nothing_is_made_up_for_others(identity: str) -> None:
    assert StatedAccuracy().with_defaults(identity) == StatedAccuracy()


def test_documents_come_back_equal() -> None:
    stated = StatedAccuracy(gain=0.01, offset_a=1e-6, voltage_gain=0.0, voltage_offset_v=1e-3, clock=5e-5)
    assert StatedAccuracy.of(stated.document()) == stated
    assert stated.missing == ()


@pytest.mark.parametrize("value", [-0.01, float("nan"), float("inf"), 11.0])
def test_absurd_limits_are_refused(value: float) -> None:
    with pytest.raises(MetrologyError, match=r"gain of an accuracy must lie in 0\.\.10"):
        StatedAccuracy(gain=value)
