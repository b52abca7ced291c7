"""Orders: each run once, the same for a seed, and no network in a place of its own."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.campaign.cell import Cell
from runners.campaign.order import Order, ordered

CELLS = [Cell(network=f"n{number}", batch_size=1, precision="fp32") for number in range(6)]


@given(count=st.integers(1, 6), repeats=st.integers(1, 5), order=st.sampled_from(Order), seed=st.integers(0, 2**63 - 1))
def test_every_cell_comes_as_often_as_there_are_repeats(count: int, repeats: int, order: Order, seed: int) -> None:
    runs = ordered(CELLS[:count], repeats=repeats, order=order, seed=seed)
    assert [run.index for run in runs] == list(range(1, count * repeats + 1))
    assert Counter((run.cell, run.repeat) for run in runs) == {
        (cell, repeat): 1 for cell in CELLS[:count] for repeat in range(1, repeats + 1)
    }
    assert runs == ordered(CELLS[:count], repeats=repeats, order=order, seed=seed), "a seed is an order"


@given(repeats=st.integers(1, 5), seed=st.integers(0, 2**63 - 1))
def test_a_block_holds_every_cell_once(repeats: int, seed: int) -> None:
    runs = ordered(CELLS, repeats=repeats, order=Order.BLOCKED, seed=seed)
    for block in range(repeats):
        part = runs[block * len(CELLS) : (block + 1) * len(CELLS)]
        assert {run.cell for run in part} == set(CELLS)
        assert {run.repeat for run in part} == {block + 1}


def test_blocks_are_shuffled_each_in_its_own_way() -> None:
    runs = ordered(CELLS, repeats=4, order=Order.BLOCKED, seed=1)
    blocks = {tuple(run.cell for run in runs[start : start + len(CELLS)]) for start in range(0, 24, len(CELLS))}
    assert len(blocks) == 4
    assert tuple(CELLS) not in blocks


def test_a_drift_over_the_campaign_does_not_look_like_a_network() -> None:
    """Mean place in the campaign, by cell: with many blocks they meet in the middle; listed, they never do."""
    repeats = 200
    runs = ordered(CELLS, repeats=repeats, order=Order.BLOCKED, seed=1605)
    places = {cell: sum(run.index for run in runs if run.cell == cell) / repeats for cell in CELLS}
    middle = (len(runs) + 1) / 2
    # Within its block a place is uniform over 1..6: standard deviation 1.71, of a mean over 200 blocks 0.12.
    assert all(abs(place - middle) < 0.5 for place in places.values()), places
    listed = ordered(CELLS, repeats=repeats, order=Order.LISTED, seed=1605)
    first = sum(run.index for run in listed if run.cell == CELLS[0]) / repeats
    assert middle - first == pytest.approx(2.5)


def test_the_order_of_a_seed_stays_the_same_over_versions() -> None:
    runs = ordered(CELLS, repeats=1, order=Order.RANDOMISED, seed=1)
    assert [run.cell.network for run in runs] == ["n0", "n3", "n5", "n4", "n2", "n1"]


def test_listed_is_as_the_file_has_it() -> None:
    runs = ordered(CELLS, repeats=2, order=Order.LISTED, seed=1)
    assert [run.cell for run in runs] == CELLS * 2
