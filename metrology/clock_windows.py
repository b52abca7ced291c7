"""Clock windows: the board's own batch times, placed on a capture's time axis by the clock exchange."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from metrology.clock_offset import ClockExchange, ClockOffset, ClockUnsure
from metrology.errors import MetrologyError
from metrology.marker import MarkerReading
from metrology.window import Window

LAB_RATE_LIMIT = 100e-6
"""Largest relative rate of the lab computer's clock against the oscilloscope's sample clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForcedTrigger:
    """A trigger that the lab forced: it came between the two times, by the lab's monotonic clock."""

    sent_ns: int
    """Just before the force was sent, in nanoseconds."""
    taken_ns: int
    """Just after the oscilloscope was seen to have triggered, in nanoseconds."""

    def __post_init__(self) -> None:
        if self.taken_ns < self.sent_ns:
            raise MetrologyError(f"forced trigger: taken_ns ({self.taken_ns}) lies before sent_ns ({self.sent_ns})")

    @property
    def half_width_s(self) -> float:
        """Half the time between sending the force and seeing it taken, in seconds."""
        return (self.taken_ns - self.sent_ns) * 0.5e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardTiming:
    """When the board ran its batches, and what it knows of the lab's clock."""

    batch_starts_ns: tuple[int, ...]
    """Start of each batch by the board's monotonic clock, in nanoseconds, ascending."""
    batch_durations_ns: tuple[int, ...]
    """Duration of each, in nanoseconds; as many as there are starts."""
    exchanges: tuple[ClockExchange, ...]
    """The run's clock exchanges."""
    stamp_bound_s: float = 0.0
    """No batch starts or ends further than this from what is said here, in seconds; each may be off by its own."""

    def __post_init__(self) -> None:
        if len(self.batch_starts_ns) != len(self.batch_durations_ns):
            raise MetrologyError(
                f"board timing: {len(self.batch_starts_ns)} starts and {len(self.batch_durations_ns)} durations"
            )
        if not self.stamp_bound_s >= 0:
            raise MetrologyError(f"board timing: stamp_bound_s must be >= 0, got {self.stamp_bound_s!r}")


def place_batches(timing: BoardTiming, trigger: ForcedTrigger, span: Window) -> MarkerReading:
    """Place the board's batches on the axis of a capture whose trigger was forced.

    The bound of an edge is that of the clock's offset at that time, which holds half the round trip and the drift,
    plus how far off the board's own time stamps are, plus half the time within which the force was taken, plus the
    drift of the lab's clock against the oscilloscope's since then. An edge that may lie outside the record counts as
    outside.

    Args:
        timing: what the board said.
        trigger: what the lab knows of the trigger; it is time zero of the capture.
        span: the record, on its own time axis.

    Returns:
        The windows as if a marker had shown them, with the largest bound of their edges as half width.

    Raises:
        ClockUnsure: no batch times, or no exchange, or the exchanges contradict each other.
    """
    if not timing.batch_starts_ns:
        raise ClockUnsure("the board gave no batch times")
    offset = ClockOffset.of(timing.exchanges)
    ends_ns = [start + length for start, length in zip(timing.batch_starts_ns, timing.batch_durations_ns, strict=True)]
    middle_ns = (trigger.sent_ns + trigger.taken_ns) // 2
    starts_ns, start_bounds_ns = offset.lab_ns(timing.batch_starts_ns, since_lab_ns=middle_ns)
    ends_at_ns, end_bounds_ns = offset.lab_ns(ends_ns, since_lab_ns=middle_ns)
    starts_s, ends_s = starts_ns * 1e-9, ends_at_ns * 1e-9
    reached = (ends_s > span.start_s) & (starts_s < span.end_s)
    bounds_s = np.maximum(start_bounds_ns, end_bounds_ns)[reached] * 1e-9
    reach_s = max(abs(span.start_s), abs(span.end_s))
    bound_s = float(np.max(bounds_s, initial=0.0)) + timing.stamp_bound_s
    bound_s += trigger.half_width_s + LAB_RATE_LIMIT * reach_s
    places = list(zip(starts_s[reached].tolist(), ends_s[reached].tolist(), strict=True))
    return _reading(places, span, bound_s)


def _reading(places: Sequence[tuple[float, float]], span: Window, bound_s: float) -> MarkerReading:
    first_s, last_s = span.start_s + bound_s, span.end_s - bound_s
    whole = [Window(start_s=start, end_s=end) for start, end in places if start >= first_s and end <= last_s]
    cut = [start for start, end in places if end > last_s and first_s <= start < last_s]
    return MarkerReading(
        pulses=tuple(whole),
        starts_high=any(start < first_s for start, _ in places),
        cut_start_s=cut[0] if cut else None,
        edge_half_width_s=bound_s,
    )
