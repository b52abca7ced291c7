"""Gain and zero from points of known current."""

import numpy as np
import pytest

from metrology.chain_fit import ChainFit, ChainPoint, fit_chain
from metrology.errors import MetrologyError

LADDER_A = [0.2, 0.5, 0.8, 1.1, 1.3, 1.3, 1.1, 0.8, 0.5, 0.2]


def points(
    *, gain: float = 1.02, zero_a: float = -0.03, drift_a_per_s: float = 0.0, noise_a: float = 0.0, seed: int = 1
) -> list[ChainPoint]:
    rng = np.random.default_rng(seed)
    return [
        ChainPoint(
            reference_a=true_a,
            reference_deviation_a=3e-5,
            indicated_a=zero_a + true_a / gain + drift_a_per_s * 3 * k + rng.normal(0, 1) * noise_a,
            indicated_deviation_a=1e-4,
            at_s=1000.0 + 3 * k,
        )
        for k, true_a in enumerate(LADDER_A)
    ]


def test_gain_and_zero_come_back() -> None:
    fit = fit_chain(points())
    assert fit.gain == pytest.approx(1.02, abs=1e-10)
    assert fit.zero_a == pytest.approx(-0.03, abs=1e-10)
    assert fit.drift_a_per_s == pytest.approx(0.0, abs=1e-12)


def test_a_steady_drift_does_not_look_like_gain() -> None:
    fit = fit_chain(points(drift_a_per_s=2e-4))
    assert fit.gain == pytest.approx(1.02, abs=1e-9)
    assert fit.drift_a_per_s == pytest.approx(2e-4, rel=1e-6)
    assert fit.zero_a == pytest.approx(-0.03 + 2e-4 * 3 * 4.5, abs=1e-9)


def test_scatter_of_gain_and_zero_is_as_stated() -> None:
    drawn = [fit_chain(points(noise_a=1.044e-4, seed=seed)) for seed in range(1500)]
    stated = fit_chain(points())
    both = np.cov([one.gain for one in drawn], [one.zero_a for one in drawn])
    assert both[0, 0] == pytest.approx(stated.gain_deviation**2, rel=0.12)
    assert both[1, 1] == pytest.approx(stated.zero_deviation_a**2, rel=0.12)
    assert both[0, 1] == pytest.approx(stated.covariance_a, rel=0.12)


def test_the_covariance_says_how_a_current_is_corrected() -> None:
    """The correction in the middle of the ladder is far surer than gain and zero alone would make it."""
    fit: ChainFit = fit_chain(points())
    middle_a = 0.78 / fit.gain
    alone = (fit.gain * fit.zero_deviation_a) ** 2 + (middle_a * fit.gain_deviation) ** 2
    together = alone - 2 * fit.gain * middle_a * fit.covariance_a
    assert together < 0.5 * alone


def test_a_ladder_of_one_current_says_nothing() -> None:
    with pytest.raises(MetrologyError, match="do not tell"):
        fit_chain([points()[0]] * 6)
