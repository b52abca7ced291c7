"""Window: a half-open interval on a record's own time axis."""

import math
from dataclasses import dataclass

from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Half-open interval `[start_s, end_s)`; its edges may fall between samples."""

    start_s: float
    """First instant inside the window, in seconds on the record's time axis."""
    end_s: float
    """First instant after the window, in seconds."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s)):
            raise MetrologyError(f"window edges must be finite, got [{self.start_s!r}, {self.end_s!r})")
        if self.end_s < self.start_s:
            raise MetrologyError(f"window must not end before it starts, got [{self.start_s!r}, {self.end_s!r}) s")

    @property
    def duration_s(self) -> float:
        """Length, in seconds."""
        return self.end_s - self.start_s
