"""Cool-down: go on when idle power is back, not for one lucky reading, and not for ever."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runners.campaign.cool_down import READINGS, CoolDownWatch, Step


def watch(**changes: float) -> CoolDownWatch:
    settings = {"idle_power_w": 2.0, "tolerance": 0.05, "limit_s": 60.0} | changes
    return CoolDownWatch(**settings)


def test_it_waits_for_the_bound_and_then_goes_on() -> None:
    cooling = watch()
    powers_w = [2.6, 2.5, 2.4, 2.3, 2.2, 2.1, 2.09, 2.08]
    steps = [cooling.take(power_w, waited_s=second) for second, power_w in enumerate(powers_w)]
    assert steps == [Step.WAIT] * 6 + [Step.COLD] * 2
    assert cooling.power_w == 2.09


def test_one_low_reading_does_not_end_it() -> None:
    cooling = watch()
    steps = [cooling.take(power_w, waited_s=0) for power_w in (2.6, 2.6, 1.0, 2.6, 2.6)]
    assert steps == [Step.WAIT] * 5


def test_a_board_that_is_colder_than_at_the_begin_is_cold() -> None:
    cooling = watch()
    assert [cooling.take(1.0, waited_s=0) for _ in range(READINGS)][-1] is Step.COLD


def test_after_the_limit_it_goes_on_all_the_same() -> None:
    cooling = watch()
    assert cooling.take(2.6, waited_s=59.9) is Step.WAIT
    assert cooling.take(2.6, waited_s=60.0) is Step.TOO_LATE
    assert watch().step(waited_s=60.0) is Step.TOO_LATE
    assert watch().step(waited_s=1.0) is Step.WAIT
    assert watch().power_w is None


@settings(max_examples=50)
@given(st.lists(st.floats(0, 10), min_size=READINGS, max_size=30), st.floats(0.1, 5), st.floats(0.001, 1))
def test_cold_is_never_said_above_the_bound(powers_w: list[float], idle_w: float, tolerance: float) -> None:
    cooling = watch(idle_power_w=idle_w, tolerance=tolerance)
    for power_w in powers_w:
        if cooling.take(power_w, waited_s=0) is Step.COLD:
            assert cooling.power_w is not None
            assert cooling.power_w <= idle_w * (1 + tolerance)


def test_the_idle_power_is_the_bound_itself() -> None:
    cooling = watch(tolerance=0.001)
    assert [cooling.take(2.0 * 1.001, waited_s=0) for _ in range(READINGS)][-1] is Step.COLD
    assert pytest.approx(2.002) == cooling.power_w
