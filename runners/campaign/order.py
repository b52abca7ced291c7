"""Order: in which sequence the runs of a campaign are measured.

A bench warms up through a day, and a board through a campaign. Measured network by network, that drift would look like
a difference between networks. In complete randomised blocks each block holds every cell once, in an order of its own:
drift over the campaign is then a difference between blocks, and what is left within a block falls on every cell alike.
"""

import random
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import TypeVar

from runners.campaign.cell import Cell, PlannedRun

T = TypeVar("T")


class Order(StrEnum):
    """How runs follow one another."""

    BLOCKED = "blocked"
    """Complete randomised blocks: each repeat of everything is one block, shuffled in itself."""
    RANDOMISED = "randomised"
    """Everything shuffled together."""
    LISTED = "listed"
    """As the file lists them, all of it once for each repeat."""


def ordered(cells: Sequence[Cell], *, repeats: int, order: Order, seed: int) -> tuple[PlannedRun, ...]:
    """Return every cell as often as there are repeats, in the order of a seed."""
    draw = random.Random(seed)  # noqa: S311 - an order that can be had again, not a secret
    blocks = [[(cell, repeat) for cell in cells] for repeat in range(1, repeats + 1)]
    match order:
        case Order.LISTED:
            pairs = _flat(blocks)
        case Order.BLOCKED:
            pairs = _flat(_shuffled(block, draw) for block in blocks)
        case Order.RANDOMISED:
            pairs = _shuffled(_flat(blocks), draw)
    return tuple(
        PlannedRun(index=index, cell=cell, repeat=repeat) for index, (cell, repeat) in enumerate(pairs, start=1)
    )


def _shuffled(items: Sequence[T], draw: random.Random) -> list[T]:
    """Shuffle by `random()` alone: Python promises its sequence for a seed over versions, `shuffle`'s it does not."""
    keys = [draw.random() for _ in items]
    return [item for _, item in sorted(zip(keys, items, strict=True), key=lambda pair: pair[0])]


def _flat(lists: Iterable[Sequence[T]]) -> list[T]:
    return [item for one in lists for item in one]
