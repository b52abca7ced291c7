"""Steady level: the mean of a trace on which nothing happens, and how sure that mean is."""

import math
from dataclasses import dataclass

import numpy as np

from metrology.errors import MetrologyError
from metrology.trace import Trace

BLOCK_COUNT = 20
"""Blocks whose scatter tells the mean's; long beside a sample, so that correlated noise is not mistaken for less."""
STEP_COUNTS = 256
"""Step of an 8-bit converter in word codes: the coarsest that a trace may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyLevel:
    """Mean of a steady trace."""

    mean: float
    """Mean, in the trace's unit."""
    deviation: float
    """Standard uncertainty of the mean: scatter of blocks about a straight line, and the converter's steps."""
    degrees_of_freedom: int
    """Blocks less the line's two parameters."""
    sample_deviation: float
    """Standard deviation of one sample, in the trace's unit."""


def steady_level(trace: Trace, *, step_counts: int = STEP_COUNTS) -> SteadyLevel:
    """Return the mean of a whole trace.

    Raises:
        MetrologyError: samples are clipped or missing, or there are fewer than two a block.
    """
    clipped, holes = trace.clipped_count(), trace.hole_count()
    if clipped or holes:
        raise MetrologyError(
            f"a steady level needs every sample on the screen, got {clipped} clipped and {holes} missing"
        )
    values = trace.values
    if values.size < 2 * BLOCK_COUNT:
        raise MetrologyError(f"a steady level needs at least {2 * BLOCK_COUNT} samples, got {values.size}")
    means = np.array([block.mean() for block in np.array_split(values, BLOCK_COUNT)])
    place = np.arange(BLOCK_COUNT)
    residuals = means - np.polyval(np.polyfit(place, means, 1), place)
    freedom = BLOCK_COUNT - 2
    scattered = math.sqrt(float(residuals @ residuals) / freedom / BLOCK_COUNT)
    sample_deviation = float(values.std(ddof=1))
    step = abs(trace.scale.increment) * step_counts
    return SteadyLevel(
        mean=float(values.mean()),
        deviation=math.hypot(scattered, step * undithered_part(sample_deviation / step) / math.sqrt(3)),
        degrees_of_freedom=freedom,
        sample_deviation=sample_deviation,
    )


def undithered_part(noise_steps: float) -> float:
    """Return how far the mean of a quantised level may lie from the level, in steps.

    Without noise it errs by half a step at most; Gaussian noise of `s` steps damps the harmonics of that sawtooth, the
    first, which damps least, by `exp(-2·pi²·s²)` (B. Widrow and I. Kollár, Quantization Noise, 2008, chapter 19).
    """
    return 0.5 * math.exp(-2 * (math.pi * noise_steps) ** 2)
