"""Marker output: what every one of them can do."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

Pulse = tuple[float, float]
"""One pulse: seconds high, then seconds low."""


class MarkerOutput(Protocol):
    """A line that says when a batch runs. Used by one thread at a time."""

    @property
    def url(self) -> str:
        """What it was made from."""
        ...

    @property
    def wired(self) -> bool:
        """Whether a level set here can be seen by the oscilloscope."""
        ...

    def set(self, level: bool) -> None:
        """Set the level; it has been taken when this returns. Raise MarkerError where it is not."""
        ...

    def close(self) -> None:
        """Set the line low where it still can be, and free it. Closing again does nothing."""
        ...


@runtime_checkable
class PlayingMarker(MarkerOutput, Protocol):
    """A marker that can play a train of pulses by itself, in the time of the world that it belongs to."""

    def play(self, pulses: Sequence[Pulse]) -> tuple[int, int]:
        """Play pulses, in seconds of that world; return when the last low has passed.

        Returns:
            When the first pulse began, by this board's monotonic clock, and how far off that may be, in nanoseconds.
        """
        ...
