"""Label placing: names cover neither each other nor marks, and stay inside."""

import math

import numpy as np

from daemon.report.label_placing import Box, place_labels

FRAME: Box = (0.0, 0.0, 400.0, 250.0)
SIZE = (45.0, 9.0)


def covers(one: Box, other: Box) -> bool:
    return min(one[2], other[2]) > max(one[0], other[0]) and min(one[3], other[3]) > max(one[1], other[1])


def test_a_crowd_of_fourteen_names_can_all_be_read() -> None:
    rng = np.random.default_rng(3)
    points = [tuple(np.clip(rng.normal((120, 120), (50, 30)), 5, 245)) for _ in range(14)]
    taken: list[Box] = [(0.0, 60.0, 400.0, 63.0)]
    placed = place_labels(points, [SIZE] * 14, [3.0] * 14, FRAME, taken)
    boxes = [(one.left, one.bottom, one.left + SIZE[0], one.bottom + SIZE[1]) for one in placed]
    assert not any(covers(a, b) for k, a in enumerate(boxes) for b in boxes[:k])
    marks = [(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    assert not any(covers(box, mark) for k, box in enumerate(boxes) for j, mark in enumerate(marks) if j != k)
    assert not any(covers(box, taken[0]) for box in boxes)
    assert all(box[0] >= 0 and box[1] >= 0 and box[2] <= 400 and box[3] <= 250 for box in boxes)


def test_a_lone_name_stands_right_beside_its_point_without_a_line() -> None:
    (placed,) = place_labels([(100.0, 100.0)], [SIZE], [3.0], FRAME)
    assert not placed.far
    assert 100 < placed.left < 112


def test_a_name_that_could_be_anothers_stands_elsewhere_or_has_a_line() -> None:
    points = [(100.0, 100.0), (130.0, 112.0), (112.0, 92.0), (95.0, 112.0)]
    for one, (x, y) in zip(place_labels(points, [SIZE] * 4, [3.0] * 4, FRAME), points, strict=True):
        gaps = {
            at: math.hypot(
                max(one.left - at[0], 0, at[0] - one.left - SIZE[0]),
                max(one.bottom - at[1], 0, at[1] - one.bottom - SIZE[1]),
            )
            for at in points
        }
        assert one.far or min(gaps, key=lambda at: gaps[at]) == (x, y)


def test_a_point_between_two_others_gets_a_line() -> None:
    frame: Box = (80.0, 92.0, 160.0, 108.0)  # no room above or below
    placed = place_labels([(100.0, 100.0), (112.0, 100.0), (88.0, 100.0)], [SIZE] * 3, [3.0] * 3, frame)
    assert placed[0].far


def test_a_point_in_the_corner_has_its_name_inside() -> None:
    (placed,) = place_labels([(398.0, 248.0)], [SIZE], [3.0], FRAME)
    assert placed.left + SIZE[0] <= 400
    assert placed.bottom + SIZE[1] <= 250
