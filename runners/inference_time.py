"""Inference time: what the durations of a run's batches say, and whether they drift.

A board that heats up takes its clock back, and the batches get longer; a mean over them would be the time of no state
of the board. So the median is given, with what lies around it, and the trend is tested.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from runners.trend import theil_sen

MOST_BLOCKS = 200
"""The trend is that of the medians of at most so many blocks of batches, one after the other: the slopes between all
pairs of a thousand batches take a second, and neighbouring batches are less alike when they are taken together."""
NOTABLE_DRIFT = 0.02
"""A drift is flagged from this fraction of the median on; less than that no conclusion here depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeDrift:
    """How much longer a batch took at the end than at the beginning, as a fraction of the median; negative: shorter."""

    relative: float
    """By the slope of Theil and Sen."""
    low: float
    """Lower end of its interval, at 95 %."""
    high: float
    """Upper end of it."""

    @property
    def is_notable(self) -> bool:
        """Whether it is significant, and large enough to matter."""
        return (self.low > 0 or self.high < 0) and abs(self.relative) >= NOTABLE_DRIFT

    @property
    def direction(self) -> str:
        """`slower`, `faster` or `steady`."""
        if not self.is_notable:
            return "steady"
        return "slower" if self.relative > 0 else "faster"


@dataclass(frozen=True, slots=True, kw_only=True)
class InferenceTime:
    """Durations of batches, in seconds."""

    batches: int
    """How many there were; at least one."""
    median_s: float
    """Half of them took longer."""
    lower_quartile_s: float
    """A quarter of them took no longer."""
    upper_quartile_s: float
    """A quarter of them took at least as long."""
    mad_s: float
    """Median of the absolute deviations from the median; not scaled to a standard deviation."""
    shortest_s: float
    """The shortest."""
    longest_s: float
    """The longest."""
    drift: TimeDrift | None
    """Change over the run; None where there were too few batches to tell."""

    def images_per_s(self, batch_size: int) -> float:
        """Return the images inferred in a second, by the median."""
        return batch_size / self.median_s


def inference_time(durations_s: Sequence[float], starts_s: Sequence[float] = ()) -> InferenceTime | None:
    """Return what the durations of batches say; None without any.

    Args:
        durations_s: Of each batch, in seconds, in order.
        starts_s: When each began, ascending; unless there are as many, one counts as straight after the other.
    """
    if not durations_s:
        return None
    median_s = statistics.median(durations_s)
    quartiles_s = statistics.quantiles(durations_s, n=4, method="inclusive") if len(durations_s) > 1 else [median_s] * 3
    return InferenceTime(
        batches=len(durations_s),
        median_s=median_s,
        lower_quartile_s=quartiles_s[0],
        upper_quartile_s=quartiles_s[2],
        mad_s=statistics.median(abs(one - median_s) for one in durations_s),
        shortest_s=min(durations_s),
        longest_s=max(durations_s),
        drift=_drift(
            starts_s if len(starts_s) == len(durations_s) else _one_after_the_other(durations_s), durations_s, median_s
        ),
    )


def _drift(starts_s: Sequence[float], durations_s: Sequence[float], median_s: float) -> TimeDrift | None:
    size = -(-len(durations_s) // MOST_BLOCKS)
    places = range(0, len(durations_s) - size + 1, size)  # a last block that is not full is left out
    trend = theil_sen(
        [statistics.fmean(starts_s[at : at + size]) for at in places],
        [statistics.median(durations_s[at : at + size]) for at in places],
    )
    if trend is None or median_s <= 0:
        return None
    scale = (starts_s[-1] - starts_s[0]) / median_s
    return TimeDrift(relative=trend.slope * scale, low=trend.low * scale, high=trend.high * scale)


def _one_after_the_other(durations_s: Sequence[float]) -> list[float]:
    starts_s = [0.0]
    for duration_s in durations_s[:-1]:
        starts_s.append(starts_s[-1] + duration_s)
    return starts_s
