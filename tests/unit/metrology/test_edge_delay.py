"""Delay of the current's edge behind the marker's, from superposed edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metrology.capture import Capture
from metrology.edge_delay import fit_edge, step_response, superpose
from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from tests.unit.metrology.captures import trace_of

INTERVAL_S = 20e-6
COUNT = 50_000


def record(
    *,
    delay_s: float,
    settling_s: float,
    batch_s: float = 6.0137e-3,
    gap_s: float = 4.0091e-3,
    phase_s: float = 3.3e-6,
    noise_a: float = 0.03,
    seed: int = 1,
) -> Capture:
    """Return a record whose current follows the marker's true edges, which its samples only bracket."""
    times_s = np.arange(COUNT) * INTERVAL_S
    rises_s = np.arange(0.005 + phase_s, times_s[-1] - 0.02, batch_s + gap_s)
    current_a = np.full(COUNT, 0.15)
    pod = np.zeros(COUNT, dtype=np.uint8)
    for rise_s in rises_s:
        pod[(times_s >= rise_s) & (times_s < rise_s + batch_s)] = 1
        for edge_s, step_a in ((rise_s, 0.55), (rise_s + batch_s, -0.55)):
            since_s = np.maximum(times_s - edge_s - delay_s, 0.0)
            current_a -= step_a * np.expm1(-since_s / settling_s)
    noise = np.random.default_rng(seed).normal(0, noise_a, COUNT)
    base = TimeBase(origin_s=0.0, interval_s=INTERVAL_S, sample_count=COUNT)
    return Capture(time_base=base, current=trace_of(current_a + noise), marker_pod_counts=pod)


@pytest.mark.parametrize("delay_us", [-60.0, -7.0, 0.0, 1.6, 35.0, 120.0])
@pytest.mark.parametrize("rising", [True, False])
def test_the_onset_is_found_to_a_fraction_of_a_sample(delay_us: float, rising: bool) -> None:
    captures = [record(delay_s=1e-6 * delay_us, settling_s=50e-6, seed=k, phase_s=5.1e-6 * k) for k in range(3)]
    found = fit_edge(superpose(captures, rising=rising))
    assert 1e6 * found.delay_s == pytest.approx(delay_us, abs=2.0)
    assert abs(found.delay_s - 1e-6 * delay_us) < 3 * found.delay_deviation_s
    assert 1e6 * found.settling_s == pytest.approx(50.0, abs=3.0)
    assert found.step_a == pytest.approx(0.55 if rising else -0.55, abs=0.01)


def test_a_phase_locked_to_the_samples_stays_within_what_is_stated() -> None:
    """Batches of whole sample intervals show one phase a record: the phase, not the scatter, is the limit."""
    locked = [
        record(delay_s=1.6e-6, settling_s=50e-6, batch_s=6e-3, gap_s=4e-3, phase_s=phase_s, seed=k)
        for k, phase_s in enumerate((1e-6, 14e-6, 9e-6, 18e-6))
    ]
    found = fit_edge(superpose(locked, rising=True))
    assert found.delay_deviation_s > 0.28 * INTERVAL_S / 2
    assert abs(found.delay_s - 1.6e-6) < 2 * found.delay_deviation_s


def test_settling_faster_than_a_sample_still_gives_the_onset() -> None:
    found = fit_edge(superpose([record(delay_s=8e-6, settling_s=2e-6)], rising=True))
    # a fast edge shows delay plus settling only
    assert 1e6 * (found.delay_s + found.settling_s) == pytest.approx(10.0, abs=1.5)


def test_a_board_that_ignores_its_marker_is_told() -> None:
    flat = record(delay_s=0.0, settling_s=50e-6)
    still = Capture(
        time_base=flat.time_base,
        current=trace_of(0.15 + np.random.default_rng(2).normal(0, 0.03, COUNT)),
        marker_pod_counts=flat.marker_pod_counts,
    )
    with pytest.raises(MetrologyError, match="does not step with the marker"):
        fit_edge(superpose([still], rising=True))


def test_edges_that_say_too_little_are_refused() -> None:
    few = record(delay_s=0.0, settling_s=50e-6, batch_s=0.2, gap_s=0.1)
    with pytest.raises(MetrologyError, match="at least 10 are needed"):
        superpose([few], rising=True)
    close = record(delay_s=0.0, settling_s=50e-6, gap_s=0.07e-3)
    with pytest.raises(MetrologyError, match=r"at least 5 samples, the shortest lasts [34]"):
        superpose([close], rising=True)
    blind = Capture(time_base=few.time_base, current=few.current, marker_pod_counts=None)
    with pytest.raises(MetrologyError, match="marker pod"):
        superpose([blind], rising=True)
    with pytest.raises(MetrologyError, match="one sample rate"):
        superpose([], rising=True)


@given(st.floats(1e-6, 300e-6), st.floats(-1e-3, 1e-3))
def test_the_response_is_a_smeared_step(settling_s: float, onset_s: float) -> None:
    times_s = np.linspace(-2e-3, 6e-3, 400)
    shape = step_response(times_s - onset_s, settling_s=settling_s, interval_s=INTERVAL_S)
    assert (np.diff(shape) >= -1e-9).all()
    assert (shape[times_s < onset_s - INTERVAL_S] == 0).all()
    assert shape[-1] == pytest.approx(1.0, abs=1e-6)
