"""Clock offset: the bound holds whatever the network does, and is small where the network is quick."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.clock_offset import ClockExchange, ClockOffset, ClockUnsure
from tests.unit.metrology.networks_of_delays import Network, TwoClocks

SECOND = 1_000_000_000
UPTIME_NS = 11 * 86_400 * SECOND
"""A board that has been up for long: its clock no longer fits into a float to the nanosecond beside an offset."""


def error_and_bound_s(offset: ClockOffset, clocks: TwoClocks, true_ns: float) -> tuple[float, float]:
    true_lab_ns = clocks.lab_ns(true_ns)
    error_ns, bound_ns = offset.lab_ns([clocks.board_ns(true_ns)], since_lab_ns=true_lab_ns)
    return abs(float(error_ns[0])) * 1e-9, float(bound_ns[0]) * 1e-9


def random_clocks(random: np.random.Generator) -> TwoClocks:
    return TwoClocks(
        offset_ns=int(random.integers(-(10**18), 10**18)),
        board_rate=float(random.uniform(-100e-6, 100e-6)),
        lab_rate=float(random.uniform(-100e-6, 100e-6)),
    )


def random_network(random: np.random.Generator, *, jitter_s: float) -> Network:
    """Asymmetric: either direction may be quick while the other is slow."""
    least_s = 10.0 ** random.uniform(-4.5, -2.7, size=2)
    return Network(out_s=float(least_s[0]), back_s=float(least_s[1]), jitter_s=jitter_s)


def test_the_error_is_inside_the_bound_in_every_one_of_a_thousand_exchanges() -> None:
    """Before and after a run of two seconds over an asymmetric network with 1 ms of jitter; asked for in the run."""
    random = np.random.default_rng(20_240_611)
    bounds_s = []
    for _ in range(1000):
        clocks, network = random_clocks(random), random_network(random, jitter_s=1e-3)
        start_ns = UPTIME_NS + int(random.integers(SECOND))
        exchanges = network.exchanges(clocks, random, start_ns=start_ns)
        exchanges += network.exchanges(clocks, random, start_ns=start_ns + 3 * SECOND)
        asked_ns = start_ns + random.uniform(0.3, 2.7) * SECOND
        error_s, bound_s = error_and_bound_s(ClockOffset.of(exchanges), clocks, asked_ns)
        assert error_s <= bound_s
        bounds_s.append(bound_s)
    assert np.median(bounds_s) <= 2e-3


def test_a_single_exchange_bounds_the_error_too() -> None:
    random = np.random.default_rng(7)
    bounds_s = []
    for _ in range(1000):
        clocks, network = random_clocks(random), random_network(random, jitter_s=1e-3)
        exchange = network.exchanges(clocks, random, start_ns=UPTIME_NS, count=1)
        offset = ClockOffset.of(exchange)
        error_s, bound_s = error_and_bound_s(offset, clocks, UPTIME_NS + 1e6)
        assert error_s <= bound_s
        bounds_s.append(bound_s)
    assert np.median(bounds_s) <= 2e-3


def test_the_bound_is_half_the_smallest_round_trip_at_the_time_of_the_exchange() -> None:
    clocks = TwoClocks(offset_ns=5 * SECOND)
    slow = clocks.exchange(0, out_s=30e-3, back_s=10e-3)
    quick = clocks.exchange(100_000_000, out_s=1e-3, back_s=3e-3)
    error_s, bound_s = error_and_bound_s(ClockOffset.of([slow, quick]), clocks, 102e6)
    assert bound_s == pytest.approx(2e-3, rel=5e-3)
    assert error_s == pytest.approx(1e-3, rel=5e-3)


def test_the_bound_grows_with_the_time_since_the_exchange_by_the_rate_that_is_left_open() -> None:
    clocks = TwoClocks(offset_ns=0)
    offset = ClockOffset.of([clocks.exchange(0, out_s=1e-3, back_s=1e-3)], drift_limit=200e-6)
    _, soon_s = error_and_bound_s(offset, clocks, 1e6)
    _, late_s = error_and_bound_s(offset, clocks, 10 * SECOND)
    assert late_s - soon_s == pytest.approx(10 * 200e-6, rel=1e-2)


def test_exchanges_far_apart_tell_the_rate() -> None:
    random = np.random.default_rng(3)
    clocks = TwoClocks(offset_ns=-(4 * 10**17), lab_rate=60e-6)
    network = Network(out_s=1e-4, back_s=2e-4, jitter_s=1e-4)
    exchanges = network.exchanges(clocks, random, start_ns=UPTIME_NS)
    exchanges += network.exchanges(clocks, random, start_ns=UPTIME_NS + 60 * SECOND)
    offset = ClockOffset.of(exchanges)
    assert offset.drift == pytest.approx(60e-6, abs=10e-6)
    assert offset.drift_low <= 60e-6 <= offset.drift_high
    _, bound_s = error_and_bound_s(offset, clocks, UPTIME_NS + 30 * SECOND)
    assert bound_s < 1e-3, "known on both sides, so the middle is known as well"


@given(st.permutations(range(8)), st.integers(min_value=0, max_value=2**31))
def test_the_order_of_exchanges_does_not_matter(order: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    clocks, network = random_clocks(random), random_network(random, jitter_s=1e-3)
    exchanges = network.exchanges(clocks, random, start_ns=UPTIME_NS, count=8)
    at = [clocks.board_ns(UPTIME_NS + SECOND)]
    since_ns = clocks.lab_ns(UPTIME_NS)
    straight = ClockOffset.of(exchanges).lab_ns(at, since_lab_ns=since_ns)
    shuffled = ClockOffset.of([exchanges[k] for k in order]).lab_ns(at, since_lab_ns=since_ns)
    assert straight[0][0] == pytest.approx(shuffled[0][0], abs=10)
    assert straight[1][0] == pytest.approx(shuffled[1][0], abs=10)


def test_a_clock_that_was_set_between_exchanges_is_found_out() -> None:
    clocks = TwoClocks(offset_ns=0)
    before = clocks.exchange(0, out_s=1e-3, back_s=1e-3)
    after = replace(clocks, offset_ns=SECOND // 10).exchange(SECOND, out_s=1e-3, back_s=1e-3)
    with pytest.raises(ClockUnsure, match="a clock was set"):
        ClockOffset.of([before, after])


def test_an_answer_that_came_before_its_question_is_found_out() -> None:
    with pytest.raises(ClockUnsure):
        ClockOffset.of([ClockExchange(board_sent_ns=0, lab_received_ns=5, lab_answered_ns=9, board_received_ns=2)])


def test_without_an_exchange_nothing_is_known() -> None:
    with pytest.raises(ClockUnsure, match="no clock exchange"):
        ClockOffset.of([])
