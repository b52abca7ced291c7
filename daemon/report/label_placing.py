"""Label placing: names beside their points that cover neither each other nor a mark, tried place by place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points of the page."""

DISTANCES_PT = (5.0, 11.0, 18.0, 26.0, 36.0)
DOUBT_PT = 15.0
"""How much farther away a name may rather stand than where it could be another mark's."""
NEARER = 1.3
"""Another mark at this many times the distance of a name's own is still one that it could belong to."""
ANGLES = np.deg2rad([35, -35, 145, -145, 90, -90, 0, 180])


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a name stands."""

    left: float
    bottom: float
    """Of its box, in points."""
    far: bool
    """Whether a line should lead to it: it stands far away, or as near to another mark."""


def place_labels(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    radii: Sequence[float],
    frame: Box,
    taken: Sequence[Box] = (),
) -> list[Placed]:
    """Return a place for the name of each point.

    Args:
        points: where each mark is, in points of the page.
        sizes: width and height of each name, in points.
        radii: radius of each mark, in points.
        frame: what names should stay inside of.
        taken: what else they should not cover: bars, marks without a name.
    """
    marks = [(x - r, y - r, x + r, y + r) for (x, y), r in zip(points, radii, strict=True)]
    boxes: list[Box] = []
    found: dict[int, Placed] = {}
    # The most crowded point chooses first: it has the fewest places.
    crowd = [sum(abs(x - a) < 60 and abs(y - b) < 25 for a, b in points) for x, y in points]
    for index in sorted(range(len(points)), key=lambda one: -crowd[one]):
        costs = []
        for distance in DISTANCES_PT:
            for number, angle in enumerate(ANGLES):
                box = _box(points[index], sizes[index], radii[index] + distance, float(angle))
                overlap = sum(_overlap(box, one) for one in (*boxes, *taken))
                overlap += sum(_overlap(box, mark) for other, mark in enumerate(marks) if other != index)
                outside = _area(box) - _overlap(box, frame)
                doubtful = DOUBT_PT * _is_doubtful(box, points, radii, index)
                costs.append((10 * overlap + 8 * outside + distance + doubtful, number, distance, box))
        _, _, distance, best = min(costs)
        boxes.append(best)
        doubtful = _is_doubtful(best, points, radii, index)
        found[index] = Placed(left=best[0], bottom=best[1], far=distance > DISTANCES_PT[1] or doubtful)
    return [found[index] for index in range(len(points))]


def _is_doubtful(box: Box, points: Sequence[tuple[float, float]], radii: Sequence[float], own: int) -> bool:
    """Return whether a name could be taken for that of another mark."""
    gaps = [_gap(box, at) - radius for at, radius in zip(points, radii, strict=True)]
    return any(gap < NEARER * gaps[own] for other, gap in enumerate(gaps) if other != own)


def _gap(box: Box, at: tuple[float, float]) -> float:
    across = max(box[0] - at[0], 0.0, at[0] - box[2])
    up = max(box[1] - at[1], 0.0, at[1] - box[3])
    return math.hypot(across, up)


def _box(at: tuple[float, float], size: tuple[float, float], distance: float, angle: float) -> Box:
    """Return the box of a name in a direction: on the right its left edge is near, on the left its right one."""
    across, up = float(np.cos(angle)), float(np.sin(angle))
    x, y = at[0] + distance * across, at[1] + distance * up
    left = x - size[0] * (0.5 if abs(across) < 0.1 else float(across < 0))
    bottom = y - size[1] * (0.5 if abs(up) < 0.1 else float(up < 0))
    return left, bottom, left + size[0], bottom + size[1]


def _overlap(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, width) * max(0.0, height)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
