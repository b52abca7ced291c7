"""A capture as an oscilloscope gives it, for tests of what keeps captures."""

import numpy as np

from metrology.capture import Capture
from metrology.timebase import TimeBase
from metrology.trace import Scale, Trace, Unit


def trace(rng: np.random.Generator, *, unit: Unit, count: int) -> Trace:
    codes = (rng.integers(1, 256, size=count) * 256).astype(np.uint16)
    codes[:3] = (0, 1, 0xFFFF)  # a hole, clipped low, clipped high
    scale = Scale(increment=0.2 * 8 / 199 / 256, origin=0.1 + 0.2, reference_counts=32768)
    return Trace(counts=codes, scale=scale, unit=unit, clip_low_counts=1, clip_high_counts=0xFFFF)


def example_capture(
    rng: np.random.Generator, *, count: int = 1000, voltage: bool = True, marker: bool = True
) -> Capture:
    return Capture(
        time_base=TimeBase(origin_s=-0.2, interval_s=1 / 49_999.3, sample_count=count),
        current=trace(rng, unit=Unit.AMPERE, count=count),
        voltage=trace(rng, unit=Unit.VOLT, count=count) if voltage else None,
        marker_pod_counts=rng.integers(0, 256, size=count).astype(np.uint8) if marker else None,
        marker_bit=3,
        settings={":TIMebase:RANGe": "+2.00000000E+000", "label": 'µ\n"quoted"'},
        instruments={"oscilloscope": "AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830"},
        triggered_utc_ns=1_790_000_000_123_456_789,
    )
