"""Comparison: what both share cancels, what each has of its own does not."""

import math

import numpy as np
import pytest

from metrology.comparison import Contribution, MeasuredEnergy, compare, mean_of
from metrology.errors import MetrologyError
from metrology.estimate import Shape


def energy(
    value_j: float, *, gain: float = 0.0, own: float = 0.0, name: str | None = "bench", zero_j: float = 0.0
) -> MeasuredEnergy:
    """Return an energy with a relative gain error, a relative random one, and a common additive one."""
    return MeasuredEnergy(
        energy_j=value_j,
        contributions=(
            Contribution(part_j=gain * value_j, shape=Shape.RECTANGULAR, common=name and f"{name}: gain"),
            Contribution(part_j=own * value_j, degrees_of_freedom=20),
            Contribution(part_j=-zero_j, common=name and f"{name}: zero"),
        ),
    )


def test_a_common_gain_cancels_from_the_ratio_altogether() -> None:
    found = compare(energy(1.03, gain=0.03), energy(1.0, gain=0.03))
    assert found.relative.value == pytest.approx(0.03)
    assert found.relative.expanded_uncertainty_95 == pytest.approx(0.0, abs=1e-12)
    assert found.difference_j.standard_uncertainty == pytest.approx(0.03 * 0.03)
    assert found.distinguishable


def test_gains_of_two_benches_do_not_cancel() -> None:
    found = compare(energy(1.03, gain=0.03, name="one"), energy(1.0, gain=0.03, name="two"))
    assert found.relative.standard_uncertainty == pytest.approx(math.sqrt(2) * 0.03 * 1.03)
    assert not found.distinguishable


def test_signs_decide_whether_errors_cancel() -> None:
    up = MeasuredEnergy(energy_j=1.0, contributions=(Contribution(part_j=0.01, common="x"),))
    down = MeasuredEnergy(energy_j=1.0, contributions=(Contribution(part_j=-0.01, common="x"),))
    assert compare(up, up).relative.standard_uncertainty == 0.0
    assert compare(up, down).relative.standard_uncertainty == pytest.approx(0.02)


def test_the_interval_agrees_with_drawing() -> None:
    """Draw the common zero and gain once for both, the random parts for each, and compare the spread of the ratio."""
    rng = np.random.default_rng(5)
    n = 200_000
    gain, zero_j = rng.uniform(-1, 1, n) * 0.01 * math.sqrt(3), rng.normal(0, 0.004, n)
    a = 1.03 * (1 + gain + rng.normal(0, 0.002, n)) - zero_j
    b = 0.60 * (1 + gain + rng.normal(0, 0.002, n)) - zero_j
    found = compare(energy(1.03, gain=0.01, own=0.002, zero_j=0.004), energy(0.60, gain=0.01, own=0.002, zero_j=0.004))
    assert found.relative.standard_uncertainty == pytest.approx(float(np.std(a / b)), rel=0.02)


def test_a_group_averages_what_is_random_and_keeps_what_is_common() -> None:
    group = mean_of([energy(1.0, gain=0.03, own=0.01)] * 4)
    ((gain, own),) = [
        (
            sum(one.part_j for one in group.contributions if one.common == "bench: gain"),
            math.sqrt(sum(one.part_j**2 for one in group.contributions if one.common is None)),
        )
    ]
    assert gain == pytest.approx(0.03)
    assert own == pytest.approx(0.005)


def test_a_group_that_scatters_more_than_it_says_goes_by_its_scatter() -> None:
    group = mean_of([energy(value, own=1e-4) for value in (1.0, 1.1, 0.9)])
    (own,) = [one for one in group.contributions if one.common is None]
    assert own.part_j == pytest.approx(0.1 / math.sqrt(3))
    assert own.degrees_of_freedom == 2


def limited(value_j: float, term: str, part_j: float = 0.01) -> MeasuredEnergy:
    return MeasuredEnergy(
        energy_j=value_j, contributions=(Contribution(part_j=part_j, shape=Shape.RECTANGULAR, term=term),)
    )


def test_limits_of_one_line_do_not_average_out_within_a_group() -> None:
    group = mean_of([limited(1.0, "zero drift"), limited(1.0, "zero drift", -0.01), limited(1.0, "zero drift", 0.04)])
    assert group.contributions == (
        Contribution(part_j=pytest.approx(0.02), shape=Shape.RECTANGULAR, term="zero drift"),
    )
    apart = mean_of([limited(1.0, "zero drift"), limited(1.0, "marker rise delay")])
    assert [one.part_j for one in apart.contributions] == pytest.approx([0.005, 0.005])


def test_scatter_stands_beside_the_limits() -> None:
    group = mean_of([limited(value, "zero drift", 0.05) for value in (1.0, 1.1, 0.9)])
    assert [one.part_j for one in group.contributions] == pytest.approx([0.05, 0.1 / math.sqrt(3)])


def test_nothing_to_compare() -> None:
    with pytest.raises(MetrologyError, match="no result"):
        mean_of([])
    with pytest.raises(MetrologyError, match="> 0 J"):
        energy(0.0)
