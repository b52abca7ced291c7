"""Connection: the way to one instrument, as a session uses it."""

from enum import Enum, auto
from typing import Protocol


class Link(Enum):
    """What is known of a connection."""

    GOOD = auto()
    """Every question so far has had its answer."""
    OUT_OF_STEP = auto()
    """An answer is missing or half read: it may still come, and would answer the next question."""
    LOST = auto()
    """The connection is gone."""
    CLOSED = auto()
    """Closed on purpose."""


class Connection(Protocol):
    """Carries messages. Implementations: `VisaConnection`, `RecordedConnection`, `ReplayedConnection`."""

    link: Link
    """What is known of it; a session sets it after a failure."""

    @property
    def resource(self) -> str:
        """VISA resource name."""
        ...

    @property
    def role(self) -> str:
        """Role of the instrument on the bench, such as `oscilloscope`."""
        ...

    @property
    def wait_s(self) -> float:
        """How long one answer may take, in seconds."""
        ...

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line, where an instrument must be told that it is remote."""
        ...

    def open(self) -> None:
        """Open it.

        Raises:
            ConnectionFailed: with resource and reason.
        """
        ...

    def mend(self) -> None:
        """Bring it back into step where the last exchange failed; does nothing where it did not.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        ...

    def drain(self) -> bool:
        """Throw away what still comes, until nothing does; say whether this can be done here.

        False where a transport carries whole messages, and where the connection is lost or closed. Raises what VISA
        raises.
        """
        ...

    def clear(self) -> bool:
        """Clear the instrument's buffers by a device clear; say whether this can be done here, as `drain` does."""
        ...

    def write(self, message: bytes) -> None:
        """Send bytes; raises what VISA raises."""
        ...

    def read(self) -> bytes:
        """Return one answer with its end; raises what VISA raises."""
        ...

    def read_within(self, wait_s: float) -> bytes:
        """Return one answer with its end, for which this long is waited, in seconds; raises what VISA raises."""
        ...

    def read_block(self, operation: str) -> bytes:
        """Return the bytes of the definite-length block that comes next.

        Raises:
            BadBlock: it is truncated or garbled.
        """
        ...

    def break_off(self) -> None:
        """End a read that hangs in another thread with an error, where the transport lets one; else do nothing."""
        ...

    def close(self) -> None:
        """Close it; safe to call again."""
        ...
