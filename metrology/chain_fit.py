"""Chain fit: gain and zero of the current chain from points of known current."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrology.linear_fit import LinearFit, fit_linear


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPoint:
    """One known current, and what was indicated."""

    reference_a: float
    """Current by the reference, its own offset taken off, in amperes."""
    reference_deviation_a: float
    """Standard deviation of that reading's scatter, in amperes."""
    indicated_a: float
    """Mean that probe and oscilloscope indicated, in amperes at the conductor."""
    indicated_deviation_a: float
    """Standard deviation of that mean, in amperes."""
    at_s: float
    """When it was taken, in seconds on any one clock."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChainFit:
    """`true = gain·(indicated - zero)`, with the random part of its uncertainty."""

    gain: float
    """True over indicated current."""
    gain_deviation: float
    """Its standard uncertainty."""
    zero_a: float
    """Indicated at no current, in amperes, half way through the ladder."""
    zero_deviation_a: float
    """Its standard uncertainty."""
    covariance_a: float
    """Covariance of gain and zero, in amperes."""
    drift_a_per_s: float
    """How fast the zero wandered meanwhile, in amperes a second."""
    line: LinearFit
    """The fit itself: indicated = zero + slope·reference + drift·time."""


def fit_chain(points: Sequence[ChainPoint]) -> ChainFit:
    """Fit gain and zero, with a zero that may drift steadily while the ladder is climbed up and down.

    Weights are the scatter of both sides (effective variance); the reference's systematic error is not in them, for it
    moves all points together and belongs to the certificate's reference part.

    Raises:
        MetrologyError: too few points, or points that do not tell gain, zero and drift apart.
    """
    reference_a = np.array([one.reference_a for one in points])
    indicated_a = np.array([one.indicated_a for one in points])
    indicated_u = np.array([one.indicated_deviation_a for one in points])
    reference_u = np.array([one.reference_deviation_a for one in points])
    at_s = np.array([one.at_s for one in points])
    design = np.column_stack([np.ones_like(at_s), reference_a, at_s - at_s.mean()])
    line = fit_linear(design, indicated_a, np.hypot(indicated_u, reference_u))
    slope = float(line.parameters[1])
    line = fit_linear(design, indicated_a, np.hypot(indicated_u, slope * reference_u))
    slope = float(line.parameters[1])
    return ChainFit(
        gain=1 / slope,
        gain_deviation=line.deviation(1) / slope**2,
        zero_a=float(line.parameters[0]),
        zero_deviation_a=line.deviation(0),
        covariance_a=-float(line.covariance[0, 1]) / slope**2,
        drift_a_per_s=float(line.parameters[2]),
        line=line,
    )
