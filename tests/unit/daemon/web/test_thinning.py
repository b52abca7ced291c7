import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.web.thinning import block_size, extremes

values = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=200)


@given(values, st.integers(2, 40))
def test_each_block_keeps_its_extremes_in_their_order(found: list[float], size: int) -> None:
    thinned = extremes(np.array(found), size).reshape(-1, 2)
    for number, (first, second) in enumerate(thinned):
        block = np.array(found[number * size : (number + 1) * size])
        there = block[~np.isnan(block)]
        if there.size == 0:
            assert np.isnan([first, second]).all()
            continue
        assert {np.nanmin([first, second]), np.nanmax([first, second])} == {there.min(), there.max()}
        if first != second and there.size > 1:
            assert np.flatnonzero(block == first)[0] <= np.flatnonzero(block == second)[-1]


@given(st.integers(0, 10**7), st.integers(2, 10**6))
def test_no_more_points_than_the_limit(count: int, limit: int) -> None:
    size = block_size(count, limit=limit)
    assert (2 * -(-count // size) if size > 1 else count) <= limit


def test_less_than_two_points_are_no_picture() -> None:
    with pytest.raises(ValueError, match="two are the least"):
        block_size(10, limit=1)
