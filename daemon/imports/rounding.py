"""Rounding: a channel of floats as 16-bit codes over its own span, the rounding carried on from sample to sample.

What one code is off is made up for by the next (error diffusion of the first order): codes follow the running sum of
the values, so that the sum over any stretch is off by one step at the most, however long it is. A mean over n samples
is off by a step over n, where codes rounded each by itself would be off by up to half a step.
"""

import numpy as np
from numpy.typing import NDArray

from metrology.trace import Scale, Trace, Unit

_LOWEST, _HIGHEST = 2, 65533
"""Codes of the lowest and the highest value: room for one step either side, and no code that means anything else."""
_MIDDLE = 32768
_NEVER = 0xFFFF


def trace_of(values: NDArray[np.float64], unit: Unit) -> tuple[Trace, float]:
    """Return a trace of finite values, shape (n,), and the size of its step in the unit; 0 where all values are one."""
    low, high = float(values.min()), float(values.max())
    step = (high - low) / (_HIGHEST - _LOWEST)
    if step <= 1e-15 * max(abs(low), abs(high)) or step < 1e-300:
        return _constant(values.size, (low + high) / 2, unit), high - low
    running = np.rint(np.cumsum((values - low) / step))
    counts = (np.diff(running, prepend=0.0) + _LOWEST).astype(np.uint16)
    return _trace(counts, Scale(increment=step, origin=low, reference_counts=_LOWEST), unit), step


def _constant(count: int, value: float, unit: Unit) -> Trace:
    increment = max(abs(value), 1e-9) * 2.0**-20
    return _trace(
        np.full(count, _MIDDLE, dtype=np.uint16),
        Scale(increment=increment, origin=value, reference_counts=_MIDDLE),
        unit,
    )


def _trace(counts: NDArray[np.uint16], scale: Scale, unit: Unit) -> Trace:
    # a file does not say what lay beyond its instrument's range, so no code means that
    return Trace(counts=counts, scale=scale, unit=unit, clip_low_counts=0, clip_high_counts=_NEVER)
