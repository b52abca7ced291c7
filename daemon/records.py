"""Records: rows of the database as the rest of the daemon sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.messages import RunPhase


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run: what was asked for, and what became of it."""

    run_id: str
    """Identifier, chosen by whoever asked for the run."""
    bench: str
    """Bench that measures it."""
    board: str
    """Board that runs the network."""
    network: str
    """Name of the network."""
    batch_size: int
    """Images in one batch."""
    precision: str
    """Number format, such as `fp32`."""
    images_planned: int | None
    """Images after which the board stops; None: it runs until the last capture is taken."""
    captures: int
    """Captures asked for."""
    sync: tuple[str, ...]
    """Synchronisation methods that the board offers."""
    state: RunPhase
    """State of the run's life cycle."""
    reason: str | None
    """Reason code of the state; None where there is nothing to explain."""
    text: str | None
    """The reason in words; None where there is nothing to explain."""
    finished: Mapping[str, Any] | None
    """The board's report of what it ran; None until it came."""
    requested_utc_ns: int
    """When the request arrived, in nanoseconds of UTC."""
    updated_utc_ns: int
    """When the state last changed, in nanoseconds of UTC."""
    backend: str | None = None
    """What ran it, as the board said; None where it did not."""
    announced_utc_ns: int | None = None
    """When the broker had its end, in nanoseconds of UTC; None until then."""

    @property
    def is_terminal(self) -> bool:
        """Whether the run never changes again."""
        return self.state.terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureRecord:
    """One stored capture of a run."""

    capture_id: str
    """Identifier of the capture."""
    run_id: str
    """Run it belongs to."""
    capture_index: int
    """Which capture of the run, from 0."""
    name: str
    """Name of its file in the captures' folder."""
    sha256: str
    """Checksum of the file, in hexadecimal."""
    size_bytes: int
    """Length of the file, in bytes."""
    at_utc_ns: int
    """When it was stored, in nanoseconds of UTC."""
    removed_utc_ns: int | None = None
    """When retention removed its file, in nanoseconds of UTC; None: the file is kept."""
    removed_reason: str | None = None
    """Why it did, in words; None: the file is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRecord:
    """One result of a run: the columns one asks by, and the whole message."""

    result_id: str
    """Identifier of the result."""
    run_id: str
    """Run it belongs to."""
    network: str
    """Name of the network."""
    batch_size: int
    """Images in one batch."""
    gross_energy_per_image_j: float | None
    """Gross energy per image, in joules; None where it could not be measured."""
    gross_u95_j: float | None
    """Its expanded uncertainty at 95 %, in joules."""
    net_energy_per_image_j: float | None
    """Net energy per image, in joules; None where it could not be measured."""
    net_u95_j: float | None
    """Its expanded uncertainty at 95 %, in joules."""
    quality: str
    """`valid`, `degraded` or `invalid`."""
    at_utc_ns: int
    """When it was computed, in nanoseconds of UTC."""
    document: Mapping[str, Any]
    """The result message as it was published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One thing that happened."""

    entry_id: int
    """Position in the journal; rises with time."""
    run_id: str | None
    """Run it happened to; None: the daemon itself."""
    at_utc_ns: int
    """When, in nanoseconds of UTC."""
    event: str
    """What happened."""
    state: RunPhase | None
    """State that the run went into by it; None: the state stayed."""
    detail: Mapping[str, Any]
    """What else is known, as JSON values."""
    bench: str | None = None
    """Bench whose daemon wrote it; None: written before entries told."""
