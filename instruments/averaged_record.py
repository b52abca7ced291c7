"""Averaged record: the mean of several acquisitions of a signal that repeats."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from metrology.timebase import TimeBase
from metrology.trace import Trace


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AveragedRecord:
    """A mean over triggers, for a look at the bench. It is of no single run, and has at most 1000 points."""

    time_base: TimeBase
    """When each point was; time zero is the trigger."""
    current: Trace
    """Current in the supply lead, in ampere at the conductor."""
    count: int
    """Acquisitions that it is the mean of."""
    voltage: Trace | None = None
    """Voltage channel; None where none is wired."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings as read back from the oscilloscope, preambles among them."""
