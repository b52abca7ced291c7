"""Relations by permutation: a line is found, noise is none, and too little is refused."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.relation import fit_relation, prediction_errors, rank_relation

X = np.arange(1.0, 15.0)


def test_a_line_is_found_exactly() -> None:
    found = fit_relation(X, 3 * X + 2)
    assert (found.slope, found.intercept, found.r_squared) == pytest.approx((3, 2, 1))
    assert found.p_value == pytest.approx(1e-4)
    assert np.abs(prediction_errors(X, 3 * X + 2)).max() < 1e-9


def test_noise_is_called_a_relation_no_more_often_than_it_may() -> None:
    rng = np.random.default_rng(5)
    chances = [fit_relation(X, rng.normal(size=X.size)).p_value for _ in range(100)]
    assert sum(one < 0.05 for one in chances) <= 11


def test_ranks_see_any_rise_and_share_ties() -> None:
    assert rank_relation(X, np.exp(X)).correlation == pytest.approx(1)
    assert rank_relation(X, np.zeros(X.size)).p_value == 1


@pytest.mark.parametrize(("x", "y"), [(X[:4], X[:4]), (X, X[:5]), (X * 0, X), (X, X * np.nan)])
def test_what_cannot_be_tested_is_refused(x: np.ndarray, y: np.ndarray) -> None:
    with pytest.raises(MetrologyError):
        fit_relation(x, y)
