"""What a board may say of a run beside its batches: memory, and what its times say."""

from typing import Annotated

from pydantic import Field

from runners.messages.message import Nanoseconds, Part, PositiveCount

Bytes = Annotated[int, Field(ge=0, le=2**63 - 1)]
Fraction = Annotated[float, Field(ge=-1e6, le=1e6)]


class RunMemory(Part):
    """Memory of a run. Each may be null: not known here."""

    parameters_bytes: Bytes | None = None
    """Size of the parameters in the precision of the run, in bytes; computed."""
    peak_process_bytes: Bytes | None = None
    """The most that the board's process had in physical memory while the batches ran, in bytes; measured."""
    peak_device_bytes: Bytes | None = None
    """The most that was allocated on a device of its own while the batches ran, in bytes; measured."""


class RunTimes(Part):
    """What the durations of all batches of a run say, by the board's clock."""

    batches: PositiveCount
    """Batches that were timed."""
    median_ns: Nanoseconds
    """Median, in nanoseconds."""
    lower_quartile_ns: Nanoseconds
    """Lower quartile, in nanoseconds."""
    upper_quartile_ns: Nanoseconds
    """Upper quartile, in nanoseconds."""
    mad_ns: Nanoseconds
    """Median of the absolute deviations from the median, in nanoseconds."""
    shortest_ns: Nanoseconds
    """The shortest, in nanoseconds."""
    longest_ns: Nanoseconds
    """The longest, in nanoseconds."""
    drift: Fraction | None = None
    """Change from the first batch to the last, as a fraction of the median; null where there were too few."""
    drift_low: Fraction | None = None
    """Lower end of its interval at 95 %."""
    drift_high: Fraction | None = None
    """Upper end of it."""
    drifts: bool = False
    """Whether the drift is significant, and large enough to matter: the board was not in one state."""
