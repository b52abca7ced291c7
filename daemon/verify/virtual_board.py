"""Virtual board: what a board would say of a run, its clock and its messages as late and as wrong as real ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metrology.ladder import Rung
from runners.messages import RunFinished

EXCHANGES = 16
"""Clock exchanges before the run, and as many after it."""
SPACING_S = 0.05
"""Time between two of them, in seconds."""
CLOCK_RATE_LIMIT = 50e-6
"""Largest relative rate of the board's clock against the lab's."""
LEAST_DELAY_S = (0.2e-3, 1e-3)
"""Within these limits lies the least delay of a message, drawn for each direction: the network is not symmetric."""
JITTER_S = 1e-3
"""Mean of what a message is late beyond that, in seconds; exponential, as queues make it."""
STAMP_S = 50e-6
"""A board reads its clock by at most this before its batch begins, and after it has ended."""


class VirtualBoard:
    """A board whose clock has an offset and a rate of its own."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng([seed, 0xB0A2D])
        self._rate = float(self._rng.uniform(-CLOCK_RATE_LIMIT, CLOCK_RATE_LIMIT))
        self._offset_ns = int(self._rng.integers(10**12, 10**15))
        self._delays_s = self._rng.uniform(*LEAST_DELAY_S, size=2)

    def finished(self, pulses: Sequence[tuple[float, float]], *, batch_size: int, rung: Rung) -> dict[str, Any]:
        """Return the report of a run whose batches lay at these world times (seconds, rise and fall)."""
        starts_ns = [self._clock_ns(rise - self._early_s()) for rise, _ in pulses]
        ends_ns = [self._clock_ns(fall + self._early_s()) for _, fall in pulses]
        durations_ns = [end - start for start, end in zip(starts_ns, ends_ns, strict=True)]
        timed = rung is Rung.CLOCK
        first_s, last_s = pulses[0][0], pulses[-1][1]
        report = RunFinished(
            finished_utc_ns=0,
            images=batch_size * len(pulses),
            batches=len(pulses),
            started_monotonic_ns=starts_ns[0],
            finished_monotonic_ns=ends_ns[-1],
            batch_durations_ns=tuple(durations_ns),
            batch_duration_median_ns=int(np.median(durations_ns)),
            batch_starts_monotonic_ns=tuple(starts_ns) if timed else (),
            clock_exchanges=tuple(self._exchanges(first_s, last_s)) if timed else (),
        )
        return report.model_dump(mode="json")

    def _exchanges(self, first_s: float, last_s: float) -> list[dict[str, int]]:
        before = [first_s - SPACING_S * (k + 1) for k in reversed(range(EXCHANGES))]
        after = [last_s + SPACING_S * (k + 1) for k in range(EXCHANGES)]
        return [self._exchange(at_s) for at_s in (*before, *after)]

    def _exchange(self, at_s: float) -> dict[str, int]:
        there_s, back_s = self._delays_s + self._rng.exponential(JITTER_S, size=2)
        received_s = at_s + there_s
        answered_s = received_s + self._rng.uniform(20e-6, 200e-6)
        return {
            "board_sent_ns": self._clock_ns(at_s),
            "lab_received_ns": round(received_s * 1e9),
            "lab_answered_ns": round(answered_s * 1e9),
            "board_received_ns": self._clock_ns(answered_s + back_s),
        }

    def _early_s(self) -> float:
        return float(self._rng.uniform(0.0, STAMP_S))

    def _clock_ns(self, world_s: float) -> int:
        """Return what the board's clock shows; the lab's is the world's."""
        return self._offset_ns + round(world_s * 1e9 * (1 + self._rate))
