"""Proportion: how well a fraction is known that was counted in independent trials."""

import math

Z_95 = 1.959963984540054
"""Quantile of the normal distribution that leaves 2.5 % above it."""


def wilson_interval_95(successes: int, trials: int) -> tuple[float, float]:
    """Return the lower and upper end, as fractions, of the interval that holds the true fraction with 95 %.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927), J. Am. Stat. Assoc. 22,
    p. 209; recommended by Brown, Cai, DasGupta, "Interval Estimation for a Binomial Proportion" (2001), eq. (4), since
    the textbook's interval (p +- z s) has no width where all trials or none succeed.

    Raises:
        ValueError: No trials, or more successes than trials.
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"want 0 <= successes <= trials and a trial, got {successes} of {trials}")
    fraction = successes / trials
    widening = Z_95**2 / trials
    centre = (fraction + widening / 2) / (1 + widening)
    half_width = Z_95 / (1 + widening) * math.sqrt(fraction * (1 - fraction) / trials + widening / (4 * trials))
    # At the ends the interval reaches them exactly; what arithmetic leaves there is rounding.
    low = 0.0 if successes == 0 else centre - half_width
    high = 1.0 if successes == trials else centre + half_width
    return low, high
