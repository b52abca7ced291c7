"""Coverage interval: from standard uncertainties and distributions to the half width that holds the truth with 95 %."""

import math
from collections.abc import Sequence

import numpy as np
from GTC import reporting
from numpy.typing import NDArray

PROBABILITY = 0.95
RECTANGULAR_SHARE = 0.5
"""From this part of the variance on, rectangular terms dominate, and their true shape decides the factor."""
STEPS = 400
"""Steps of the numerical convolution in one standard uncertainty: the interval is exact to some 1e-5."""
TAIL = 12.0
"""Standard uncertainties of the random part that the convolution follows; what lies beyond counts as outside."""


def expanded_uncertainty_95(
    *, half_widths: Sequence[float], random_deviation: float, degrees_of_freedom: float = math.inf
) -> float:
    """Return the expanded uncertainty of a sum of rectangular terms and a random one.

    Where the rectangular terms hold at least half of the variance, their distributions are propagated as GUM
    Supplement 1 (5.9 and 7.7) asks, by convolution instead of by drawing, so that the same budget always gives the
    same interval. Elsewhere Student's t with the effective degrees of freedom is used (GUM G.4).

    Args:
        half_widths: half width of each rectangular term, in the unit of the result, not negative.
        random_deviation: standard uncertainty of everything else together, same unit.
        degrees_of_freedom: effective degrees of freedom of that part.
    """
    limits = sum(half_width**2 for half_width in half_widths) / 3
    variance = limits + random_deviation**2
    if variance == 0:
        return 0.0
    if limits < RECTANGULAR_SHARE * variance:
        # Terms without degrees of freedom of their own dilute those of the rest (GUM G.4.1).
        freedom = degrees_of_freedom * (variance / random_deviation**2) ** 2
        return float(reporting.k_factor(freedom) * math.sqrt(variance))
    return _by_convolution(half_widths, random_deviation, degrees_of_freedom, step=math.sqrt(variance) / STEPS)


def _by_convolution(half_widths: Sequence[float], deviation: float, freedom: float, *, step: float) -> float:
    masses = _random_masses(deviation, freedom, step)
    for half_width in half_widths:
        masses = np.convolve(masses, _rectangular_masses(half_width, step))
    centre = masses.size // 2
    inside = masses[centre] + 2 * np.concatenate([[0.0], np.cumsum(masses[centre + 1 :])])
    bounds = (np.arange(inside.size) + 0.5) * step
    return float(np.interp(PROBABILITY, inside, bounds))


def _rectangular_masses(half_width: float, step: float) -> NDArray[np.float64]:
    """Return what a rectangular distribution has in each bin about the centre, shape (2n + 1,)."""
    reach = math.ceil(half_width / step)
    if half_width < step / 2:
        return np.ones(1)
    bounds = np.clip((np.arange(-reach, reach + 2) - 0.5) * step, -half_width, half_width)
    return np.asarray(np.diff(bounds) / (2 * half_width))


def _random_masses(deviation: float, freedom: float, step: float) -> NDArray[np.float64]:
    """Return what a normal or scaled t distribution has in each bin about the centre, shape (2n + 1,)."""
    if deviation < step / 2:
        return np.ones(1)
    reach = math.ceil(TAIL * deviation / step)
    place = np.arange(-reach, reach + 1) * (step / deviation)
    if math.isinf(freedom):
        density = np.exp(-0.5 * place**2) / math.sqrt(2 * math.pi)
    else:
        scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
        density = scale * (1 + place**2 / freedom) ** (-(freedom + 1) / 2)
    masses = density * (step / deviation)
    # A narrow part is sampled coarsely: its whole mass must not depend on where the samples fall.
    return np.asarray(masses / max(1.0, float(masses.sum())))
