"""What durations say: statistics by hand, and a drift that is seen where there is one and not where there is none."""

import random
import statistics

import pytest

from runners.inference_time import inference_time
from runners.trend import LEAST_POINTS, theil_sen


def test_the_slope_is_that_of_a_line_whatever_one_outlier_says() -> None:
    values = [3.0 + 0.5 * x for x in range(20)]
    values[7] = 1e6
    found = theil_sen(range(20), values)
    assert found is not None
    assert found.slope == pytest.approx(0.5)
    assert found.low <= 0.5 <= found.high
    assert found.is_significant


def test_the_limits_are_those_of_the_published_formula() -> None:
    """Ten points without a tie: C = 1.96 sqrt(10 * 9 * 25 / 18) = 21.91, M1 = 11.5: the 11th slope from either end."""
    values = [5.0, 1.0, 4.5, 2.0, 8.0, 3.5, 9.0, 4.0, 11.0, 7.0]
    slopes = sorted((values[j] - values[i]) / (j - i) for i in range(10) for j in range(i + 1, 10))
    found = theil_sen(range(10), values)
    assert found is not None
    assert (found.low, found.high) == (slopes[10], slopes[-11])
    assert found.slope == statistics.median(slopes)


def test_too_few_points_tell_nothing() -> None:
    assert theil_sen(range(LEAST_POINTS - 1), [1.0] * (LEAST_POINTS - 1)) is None
    assert theil_sen([1.0] * 20, [float(k) for k in range(20)]) is None


def test_scatter_alone_is_seldom_taken_for_a_trend(seed: int) -> None:
    generator = random.Random(seed)
    series = [[generator.gauss(1, 0.1) for _ in range(30)] for _ in range(400)]
    found = sum(trend.is_significant for one in series if (trend := theil_sen(range(30), one)))
    # Binomial, 400 tries at 5 %: 20 with a standard deviation of 4.4.
    assert 4 <= found <= 36


def test_the_statistics_of_batches() -> None:
    found = inference_time([0.1, 0.2, 0.3, 0.4, 1.5])
    assert found is not None
    assert (found.median_s, found.lower_quartile_s, found.upper_quartile_s) == (0.3, 0.2, 0.4)
    assert found.mad_s == pytest.approx(0.1)
    assert (found.shortest_s, found.longest_s, found.batches) == (0.1, 1.5, 5)
    assert found.images_per_s(6) == pytest.approx(20)
    assert found.drift is None, "five batches show none"


def test_one_batch_and_none() -> None:
    found = inference_time([0.2])
    assert found is not None
    assert found.lower_quartile_s == found.median_s == found.upper_quartile_s == 0.2
    assert inference_time([]) is None
    assert inference_time([0.0] * 20).drift is None


@pytest.mark.parametrize(("count", "change"), [(12, 0.3), (60, 0.05), (3000, 0.1), (60, -0.08)])
def test_a_board_that_heats_up_is_noticed(count: int, change: float, seed: int) -> None:
    generator = random.Random(seed)
    durations_s = [0.02 * (1 + change * k / (count - 1) + generator.gauss(0, 0.005)) for k in range(count)]
    drift = inference_time(durations_s).drift
    assert drift.is_notable
    assert drift.direction == ("slower" if change > 0 else "faster")
    assert drift.relative == pytest.approx(change, rel=0.25)
    assert drift.low <= drift.relative <= drift.high


def test_a_steady_board_is_not_flagged_nor_one_that_hardly_drifts(seed: int) -> None:
    generator = random.Random(seed)
    steady = inference_time([0.02 * (1 + generator.gauss(0, 0.02)) for _ in range(500)]).drift
    hardly = inference_time([0.02 * (1 + 0.005 * k / 500) for k in range(500)]).drift
    assert (steady.direction, hardly.direction) == ("steady", "steady")
    assert hardly.low > 0, "it is seen all the same"


def test_pauses_between_batches_do_not_count_as_drift() -> None:
    durations_s = [0.1] * 10 + [0.11] * 10
    close = inference_time(durations_s, [0.1 * k for k in range(20)]).drift
    apart = inference_time(durations_s, [10.0 * k for k in range(20)]).drift
    assert close.relative == pytest.approx(apart.relative)
