"""Captures made for tests: a board whose current steps with its marker."""

import numpy as np

from metrology.capture import Capture
from metrology.timebase import TimeBase
from metrology.trace import Scale, Trace, Unit

CURRENT_SCALE = Scale(increment=1e-4, origin=0.5, reference_counts=32768)
BASE = TimeBase(origin_s=-0.2, interval_s=20e-6, sample_count=100_000)


def trace_of(values: np.ndarray, *, scale: Scale = CURRENT_SCALE, unit: Unit = Unit.AMPERE) -> Trace:
    counts = np.round((values - scale.origin) / scale.increment + scale.reference_counts).astype(np.uint16)
    return Trace(counts=counts, scale=scale, unit=unit, clip_low_counts=255, clip_high_counts=0xFF00)


def marker_of(pulses: list[tuple[int, int]], n: int = BASE.sample_count) -> np.ndarray:
    pod = np.zeros(n, dtype=np.uint8)
    for rise, fall in pulses:
        pod[rise:fall] = 1
    return pod


def capture_of(
    pulses: list[tuple[int, int]],
    *,
    idle_a: float = 0.15,
    active_a: float = 0.70,
    base: TimeBase = BASE,
    voltage: Trace | None = None,
) -> Capture:
    """Return a capture whose current is exactly idle or active; pulses are sample indices [rise, fall)."""
    pod = marker_of(pulses, base.sample_count)
    return Capture(
        time_base=base,
        current=trace_of(np.where(pod > 0, active_a, idle_a)),
        marker_pod_counts=pod,
        voltage=voltage,
    )
