"""Latency: how long the simulated instruments take over what they are told, in real seconds whatever the time scale.

Where no number of a real instrument is known, the profile holds an assumption and says so. No delay here holds up
anybody but the connection that the message came over.
"""

import math
from dataclasses import dataclass

import numpy as np

from metrology.errors import MetrologyError

Span = tuple[float, float]
"""Shortest and longest time, in seconds; each message's is drawn uniformly between them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyProfile:
    """Slowness of every instrument of the bench; the default is none."""

    supply_message_s: Span = (0.0, 0.0)
    """Processing of a message by the supply."""
    adapter_line_s: float = 0.0
    """Time for which the GPIB adapter is busy with a line."""
    serial_character_s: float = 0.0
    """Time that a character is on the supply's serial line."""
    scope_message_s: Span = (0.0, 0.0)
    """Processing of a message by the oscilloscope."""
    scope_points_armed_s: float = 0.0
    """What `:WAVeform:POINts?` takes beyond that while an acquisition runs."""
    scope_rate_bytes_per_s: float = math.inf
    """Speed at which the oscilloscope's answers travel; one comes whole, after the time that it takes."""

    def __post_init__(self) -> None:
        for name in ("supply_message_s", "scope_message_s"):
            shortest_s, longest_s = getattr(self, name)
            if not 0 <= shortest_s <= longest_s < math.inf:
                raise MetrologyError(f"latency: {name} must be 0 <= shortest <= longest, got {getattr(self, name)!r}")
        for name in ("adapter_line_s", "serial_character_s", "scope_points_armed_s"):
            if not 0 <= getattr(self, name) < math.inf:
                raise MetrologyError(f"latency: {name} must be finite and >= 0, got {getattr(self, name)!r}")
        if not self.scope_rate_bytes_per_s > 0:
            text = f"latency: scope_rate_bytes_per_s must be > 0, got {self.scope_rate_bytes_per_s!r}"
            raise MetrologyError(text)


NO_LATENCY = LatencyProfile()
"""Answers come at once."""
TYPICAL_LATENCY = LatencyProfile(
    supply_message_s=(0.05, 0.1),  # less than 100 ms by the manuals' readers; field drivers wait 50 ms after a write
    adapter_line_s=0.002,  # assumed: nobody has measured one
    serial_character_s=11 / 9600,  # start, eight data and two stop bits
    scope_message_s=(0.002, 0.008),  # assumed: some milliseconds
    scope_points_armed_s=1.2,  # more than a second, seen on an MSO-X 2014A
    scope_rate_bytes_per_s=1e6,  # assumed: no figure of a 2000 X-Series over LAN is known
)
"""About what real instruments take, as far as that is known."""
LATENCIES = {"none": NO_LATENCY, "typical": TYPICAL_LATENCY}
"""Profiles by the names that the command line knows."""


class Pace:
    """One instrument's own pace: tells how long it takes over a message."""

    def __init__(self, message_s: Span = (0.0, 0.0), *, rate_bytes_per_s: float = math.inf, seed: int = 0) -> None:
        self._message_s = message_s
        self._rate_bytes_per_s = rate_bytes_per_s
        self._random = np.random.default_rng(seed)
        self._lingered_s = 0.0

    def linger(self, duration_s: float) -> None:
        """Have the message that is being executed take longer."""
        self._lingered_s += duration_s

    def taken_s(self, answer_bytes: int) -> float:
        """Return how long the message just executed takes, until its answer of so many bytes is there."""
        lingered_s, self._lingered_s = self._lingered_s, 0.0
        return float(self._random.uniform(*self._message_s)) + lingered_s + answer_bytes / self._rate_bytes_per_s
