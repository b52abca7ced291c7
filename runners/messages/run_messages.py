"""What a board says of a run: request, started, finished, abort."""

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from runners.messages.clock import MAX_CLOCK_EXCHANGES, ClockExchange
from runners.messages.message import (
    Count,
    Message,
    Nanoseconds,
    NetworkName,
    PositiveCount,
    ReasonCode,
    ShortText,
    Text,
)
from runners.messages.run_figures import RunMemory, RunTimes

MAX_BATCH_DURATIONS = 4096
"""Most batch durations in one message; as many as fit into a payload with room to spare."""
MAX_BATCH_STARTS = 1500
"""Most batch starts in one message; with as many durations and the clock exchanges they fit into a payload."""
MAX_CAPTURES = 1000
"""Most captures that one run may ask for."""

SYNC_METHODS = ("marker", "clock", "step")
"""Synchronisation methods, the best first."""

Captures = Annotated[int, Field(ge=1, le=MAX_CAPTURES)]
SyncMethods = Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=8)]


class RunRequest(Message):
    """The board asks for a run to be measured. Its network is loaded and warm."""

    network: NetworkName
    """Name of the network."""
    batch_size: PositiveCount
    """Images in one batch."""
    precision: ShortText = "fp32"
    """Number format of the inference."""
    images_planned: PositiveCount | None = None
    """Images after which the board stops; null: it runs until the last capture is taken."""
    captures: Captures = 1
    """Records to take of this run."""
    sync: SyncMethods = ("marker",)
    """Synchronisation methods that the board offers, the best first: `marker`, `clock`, `step`."""
    backend: ShortText | None = None
    """What runs it, such as `torch-cpu` or `onnx-cuda`; null: the board does not say."""


class RunStarted(Message):
    """The board has begun its first batch."""

    started_utc_ns: Nanoseconds
    """When, by the board's clock, in nanoseconds of UTC."""
    started_monotonic_ns: Nanoseconds | None = None
    """When, by the board's monotonic clock, in nanoseconds; null where it has none."""


class RunFinished(Message):
    """The board has ended its last batch."""

    finished_utc_ns: Nanoseconds
    """When, by the board's clock, in nanoseconds of UTC."""
    images: Count
    """Images inferred, over all batches of the run."""
    batches: Count
    """Batches run, which is how often the marker was high."""
    started_monotonic_ns: Nanoseconds | None = None
    """Start of the first batch by the board's monotonic clock, in nanoseconds; null where it has none."""
    finished_monotonic_ns: Nanoseconds | None = None
    """End of the last batch by the same clock, in nanoseconds; null where it has none."""
    batch_durations_ns: Annotated[tuple[Nanoseconds, ...], Field(max_length=MAX_BATCH_DURATIONS)] = ()
    """Durations of the first batches by the board's clock, in nanoseconds, in order; may be empty."""
    batch_duration_median_ns: Nanoseconds | None = None
    """Median over all batches, in nanoseconds; null where the board did not time them."""

    batch_starts_monotonic_ns: Annotated[tuple[Nanoseconds, ...], Field(max_length=MAX_BATCH_STARTS)] = ()
    """Starts of the first batches by the board's monotonic clock, in nanoseconds, ascending; empty: no `clock` sync."""
    batch_stamp_bound_ns: Nanoseconds | None = None
    """No start or end of a batch lies further from what is said here than this, in nanoseconds: how long the board took
    to set its marker and read its clock, at the longest; null where the board does not know."""
    clock_exchanges: Annotated[tuple[ClockExchange, ...], Field(max_length=MAX_CLOCK_EXCHANGES)] = ()
    """Clock exchanges before and after the run, by the same monotonic clock; empty: no `clock` sync."""

    memory: RunMemory | None = None
    """Memory of the run; null where the board does not watch it."""
    times: RunTimes | None = None
    """What the durations of all batches say; null where the board did not time them, or does not say."""

    @model_validator(mode="after")
    def _batches_are_timed(self) -> Self:
        starts = self.batch_starts_monotonic_ns
        if len(starts) > self.batches:
            raise ValueError(f"{len(starts)} batch starts for {self.batches} batches")
        if any(later <= earlier for earlier, later in pairwise(starts)):
            raise ValueError("batch_starts_monotonic_ns must ascend")
        return self

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.images < self.batches:
            raise ValueError(f"images ({self.images}) are fewer than batches ({self.batches}); each holds at least one")
        if self.images and not self.batches:
            raise ValueError(f"{self.images} images without a batch")
        if len(self.batch_durations_ns) > self.batches:
            raise ValueError(f"{len(self.batch_durations_ns)} batch durations for {self.batches} batches")
        start, end = self.started_monotonic_ns, self.finished_monotonic_ns
        if start is not None and end is not None and end < start:
            raise ValueError(f"finished_monotonic_ns ({end}) lies before started_monotonic_ns ({start})")
        return self

    @staticmethod
    def median_ns(durations_ns: Sequence[int]) -> int | None:
        """Return the median of batch durations in whole nanoseconds; None without any."""
        return round(statistics.median(durations_ns)) if durations_ns else None


class RunAbort(Message):
    """The board gives a run up, or refuses a command."""

    reason: ReasonCode
    """Reason code."""
    text: Text
    """What happened, in words."""
