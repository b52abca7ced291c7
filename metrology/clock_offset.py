"""Clock offset: how far the lab's clock is ahead of a board's, with a bound, from four-timestamp exchanges.

One exchange: the board sends at t1 (its clock), the lab receives at t2 and answers at t3 (lab's clock), the board
receives at t4. No message arrives before it was sent, so the offset (lab minus board) is at most `t2 - t1` at board
time t1, and at least `t3 - t4` at board time t4, whatever the network does and however it favours one direction. The
width of the interval is the round trip. Between exchanges the clocks drift apart by a bounded rate, so every exchange
says something about every time, and the intersection of all that is the answer: nothing is assumed of the delays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError

DRIFT_LIMIT = 500e-6
"""Largest relative rate of two clocks: NTP steers a clock by no more than this."""
WANDER_LIMIT = 5e-6
"""How far the rate wanders about its mean during one run: temperature, over minutes."""


class ClockUnsure(MetrologyError):
    """The exchanges say nothing, or contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockExchange:
    """One four-timestamp exchange, in nanoseconds of either side's own monotonic clock."""

    board_sent_ns: int
    """t1: the board sends, by the board's clock."""
    lab_received_ns: int
    """t2: the lab receives, by the lab's clock."""
    lab_answered_ns: int
    """t3: the lab answers, by the lab's clock."""
    board_received_ns: int
    """t4: the board receives the answer, by the board's clock."""

    @property
    def round_trip_ns(self) -> int:
        """Time on the way, both ways together."""
        return (self.board_received_ns - self.board_sent_ns) - (self.lab_answered_ns - self.lab_received_ns)


@dataclass(frozen=True, slots=True, eq=False)
class ClockOffset:
    """The lab's clock less the board's, as a function of the board's time."""

    reference_offset_ns: int
    """What the limits below are relative to, so that no clock is too large for a float."""
    reference_board_ns: int
    """What the times below are relative to."""
    upper_at_ns: NDArray[np.float64]
    """When each upper limit holds (t1), shape (n,)."""
    upper_ns: NDArray[np.float64]
    """Upper limits `t2 - t1`, shape (n,)."""
    lower_at_ns: NDArray[np.float64]
    """When each lower limit holds (t4), shape (n,)."""
    lower_ns: NDArray[np.float64]
    """Lower limits `t3 - t4`, shape (n,)."""
    drift_low: float
    """The offset grows at least at this rate, relative."""
    drift_high: float
    """The offset grows at most at this rate, relative."""

    @classmethod
    def of(
        cls,
        exchanges: Sequence[ClockExchange],
        *,
        drift_limit: float = DRIFT_LIMIT,
        wander_limit: float = WANDER_LIMIT,
    ) -> "ClockOffset":
        """Learn from exchanges, at best some before and some after the time that is asked for.

        Args:
            exchanges: at least one, in any order.
            drift_limit: largest relative rate of the clocks.
            wander_limit: how far that rate may wander about its mean over the exchanges.

        Raises:
            ClockUnsure: no exchange, or they contradict each other: a clock was set, or a time stamp is wrong.
        """
        if not exchanges:
            raise ClockUnsure("no clock exchange was answered")
        first = exchanges[0]
        zero_ns, offset_ns = first.board_sent_ns, first.lab_received_ns - first.board_sent_ns
        upper = [(one.board_sent_ns, one.lab_received_ns - one.board_sent_ns) for one in exchanges]
        lower = [(one.board_received_ns, one.lab_answered_ns - one.board_received_ns) for one in exchanges]
        upper_at, upper_ns = _relative(upper, zero_ns, offset_ns)
        lower_at, lower_ns = _relative(lower, zero_ns, offset_ns)
        low, high = _drift(upper_at, upper_ns, lower_at, lower_ns, limit=drift_limit)
        low, high = max(low - wander_limit, -drift_limit), min(high + wander_limit, drift_limit)
        return cls(offset_ns, zero_ns, upper_at, upper_ns, lower_at, lower_ns, low, high)

    @property
    def drift(self) -> float:
        """Relative rate at which the offset grows: the middle of what the exchanges allow."""
        return (self.drift_low + self.drift_high) / 2

    def lab_ns(self, board_ns: Sequence[int], *, since_lab_ns: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the lab's time at board times, with the bound of its error.

        Args:
            board_ns: times by the board's clock, n of them, in nanoseconds.
            since_lab_ns: what the lab's times are counted from, in nanoseconds.

        Returns:
            The lab's time less `since_lab_ns`, and a bound that its error never exceeds; both shape (n,), in
            nanoseconds.

        Raises:
            ClockUnsure: at one of the times the exchanges contradict each other.
        """
        at_ns = np.array([one - self.reference_board_ns for one in board_ns], dtype=np.float64)
        upper_ns, lower_ns = self._upper(at_ns), self._lower(at_ns)
        if np.any(lower_ns > upper_ns):
            worst_ns = float(np.max(lower_ns - upper_ns))
            raise ClockUnsure(f"the exchanges contradict each other by {worst_ns * 1e-6:.3g} ms: was a clock set?")
        shift_ns = self.reference_board_ns + self.reference_offset_ns - since_lab_ns
        return at_ns + shift_ns + (lower_ns + upper_ns) / 2, (upper_ns - lower_ns) / 2

    def _upper(self, at_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        age_ns = at_ns[:, np.newaxis] - self.upper_at_ns
        growth_ns = np.maximum(self.drift_low * age_ns, self.drift_high * age_ns)
        return np.asarray(np.min(self.upper_ns + growth_ns, axis=1))

    def _lower(self, at_ns: NDArray[np.float64]) -> NDArray[np.float64]:
        age_ns = at_ns[:, np.newaxis] - self.lower_at_ns
        growth_ns = np.minimum(self.drift_low * age_ns, self.drift_high * age_ns)
        return np.asarray(np.max(self.lower_ns + growth_ns, axis=1))


def _relative(
    limits: Sequence[tuple[int, int]], zero_ns: int, offset_ns: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    at_ns = np.array([at - zero_ns for at, _ in limits], dtype=np.float64)
    return at_ns, np.array([limit - offset_ns for _, limit in limits], dtype=np.float64)


def _drift(
    upper_at: NDArray[np.float64],
    upper_ns: NDArray[np.float64],
    lower_at: NDArray[np.float64],
    lower_ns: NDArray[np.float64],
    *,
    limit: float,
) -> tuple[float, float]:
    """Return the mean rates that every pair of an upper and a lower limit allows, within the limit on either side.

    Raises:
        ClockUnsure: there is no such rate.
    """
    apart_ns = lower_at[:, np.newaxis] - upper_at
    rise_ns = lower_ns[:, np.newaxis] - upper_ns  # the least that the offset rises from the one time to the other
    later, earlier = apart_ns > 0, apart_ns < 0
    low = max(-limit, float(np.max(rise_ns[later] / apart_ns[later], initial=-limit)))
    high = min(limit, float(np.min(rise_ns[earlier] / apart_ns[earlier], initial=limit)))
    if low > high or np.any(rise_ns[apart_ns == 0] > 0):
        raise ClockUnsure(
            f"no rate within {limit * 1e6:g} ppm explains the exchanges: a clock was set, or a time stamp is wrong"
        )
    return low, high
