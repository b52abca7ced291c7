"""Clock exchange: the board asks, the lab answers, and the board keeps four time stamps.

t1 the board sends its ping, t2 the lab receives it, t3 the lab sends its pong, t4 the board receives it.
"""

from typing import Self

from pydantic import model_validator

from runners.messages.message import Message, Nanoseconds, Part

MAX_CLOCK_EXCHANGES = 64
"""Most exchanges that one run reports."""


class ClockPing(Message):
    """A client asks for the lab's time."""

    sent_monotonic_ns: Nanoseconds
    """t1: when it was sent, by the client's monotonic clock, in nanoseconds; it also tells pings apart."""


class ClockPong(Message):
    """The lab answers with its time."""

    sent_monotonic_ns: Nanoseconds
    """t1, as the ping said it."""
    received_monotonic_ns: Nanoseconds
    """t2: when the ping was received, by the lab's monotonic clock, in nanoseconds."""
    answered_monotonic_ns: Nanoseconds
    """t3: when this was sent, by the same clock, in nanoseconds."""


class ClockExchange(Part):
    """One ping and its pong."""

    board_sent_ns: Nanoseconds
    """t1: when the ping was sent, by the board's monotonic clock, in nanoseconds."""
    lab_received_ns: Nanoseconds
    """t2: when it was received, by the lab's monotonic clock, in nanoseconds."""
    lab_answered_ns: Nanoseconds
    """t3: when the pong was sent, by the lab's monotonic clock, in nanoseconds."""
    board_received_ns: Nanoseconds
    """t4: when it was received, by the board's monotonic clock, in nanoseconds."""

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.board_received_ns < self.board_sent_ns:
            text = f"board_received_ns ({self.board_received_ns}) lies before board_sent_ns ({self.board_sent_ns})"
            raise ValueError(text)
        if self.lab_answered_ns < self.lab_received_ns:
            text = f"lab_answered_ns ({self.lab_answered_ns}) lies before lab_received_ns ({self.lab_received_ns})"
            raise ValueError(text)
        return self
