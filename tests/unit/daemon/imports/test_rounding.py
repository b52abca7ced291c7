"""Rounding to 16 bits: whatever the values, a stretch's sum is off by no more than one step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from daemon.imports.rounding import trace_of
from metrology.trace import Unit

VALUES = hnp.arrays(np.float64, st.integers(2, 300), elements=st.floats(-1e5, 1e5, allow_subnormal=False))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(values=VALUES)
def test_every_stretch_keeps_its_sum_to_one_step(values: np.ndarray) -> None:
    trace, step = trace_of(values, Unit.AMPERE)
    error = np.concatenate([[0.0], np.cumsum(trace.values - values)])
    # the largest error of any stretch is the range of the running error
    assert np.ptp(error) <= 1.001 * step + 1e-9 * max(1.0, float(np.abs(values).max()))
    assert np.abs(trace.values - values).max() <= 1.001 * step + 1e-9 * float(np.abs(values).max())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=VALUES)
def test_no_code_means_a_hole_or_a_clip(values: np.ndarray) -> None:
    trace, _ = trace_of(values, Unit.VOLT)
    assert trace.hole_count() == 0
    assert trace.clipped_count() == 0


def test_a_long_record_does_not_run_away() -> None:
    values = np.sin(np.arange(2_000_000) * 0.01) + 0.3
    trace, step = trace_of(values, Unit.AMPERE)
    error = np.cumsum(trace.values - values)
    assert np.ptp(error) <= 1.01 * step
    # each rounded by itself, a mean could be off by half a step
    assert abs(float(np.mean(trace.values - values))) < step / 1_000_000


@pytest.mark.parametrize("value", [0.0, 5.0, -3.3e-9, 1e5])
def test_one_value_alone_is_exact(value: float) -> None:
    trace, step = trace_of(np.full(10, value), Unit.AMPERE)
    assert step == 0.0
    assert trace.values == pytest.approx(np.full(10, value), abs=0.0, rel=1e-15)
