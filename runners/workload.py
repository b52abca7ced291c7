"""Workload: what an agent runs between armed and captured."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from runners.count_text import count_text
from runners.markers.marker import MarkerOutput
from runners.messages import BoardCommand, RunMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What was loaded, for the log."""

    network: str
    """Name of the network."""
    device: str
    """What it runs on, in words."""
    warmup_batches: int
    """Batches run beforehand, so that the first measured one is like the others."""
    duration_s: float
    """Time that loading and warm-up took, in seconds."""
    backend: str | None = None
    """Name of what infers, for the request; None where it has none."""

    def __str__(self) -> str:
        """Return it as one phrase."""
        by = "" if self.backend is None else f" by {self.backend}"
        batches = count_text(self.warmup_batches, "batch")
        return f"{self.network} is warm{by} on {self.device}, {batches} beforehand, in {self.duration_s:.1f} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadReport:
    """What was run."""

    images: int
    """Images inferred."""
    batches: int
    """Batches run, which is how often the marker was high."""
    batch_durations_ns: tuple[int, ...]
    """Duration of each batch, in nanoseconds, in order."""
    started_monotonic_ns: int
    """Start of the first batch by the monotonic clock, in nanoseconds."""
    finished_monotonic_ns: int
    """End of the last batch by the same clock, in nanoseconds."""
    batch_starts_ns: tuple[int, ...] = ()
    """Start of each batch by the same clock, in nanoseconds, in order; empty where it was not noted."""
    batch_stamp_bound_ns: int | None = None
    """No start or end lies further from what is said here than this, in nanoseconds; None where it is not known."""
    memory: RunMemory | None = None
    """Memory that the batches took; None where it was not watched."""


class Workload(Protocol):
    """One network, ready to be run in batches. All calls come from one thread at a time, not the event loop's."""

    def prepare(self) -> Preparation:
        """Load and warm up. Raise a RunnerError where that cannot be done."""
        ...

    def run(self, marker: MarkerOutput, should_stop: Callable[[], bool], images_planned: int | None) -> WorkloadReport:
        """Run whole batches, the marker high during each, until the images are done or `should_stop` says so."""
        ...

    def release(self) -> None:
        """Free what `prepare` took."""
        ...


WorkloadFactory = Callable[[BoardCommand], Workload]
"""Makes the workload that a command asks for; raises UnknownNetwork or WorkloadError where this board has none."""


def batches_planned(images_planned: int | None, batch_size: int) -> int | None:
    """Return how many whole batches hold at least the planned images; None: no limit."""
    return None if images_planned is None else math.ceil(images_planned / batch_size)
