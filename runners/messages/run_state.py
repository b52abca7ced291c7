"""What the daemon says of a run while it goes on."""

from enum import StrEnum

from runners.messages.message import Count, Identifier, Message, Nanoseconds, ReasonCode, Text
from runners.messages.run_messages import Captures


class RunPhase(StrEnum):
    """Where a run stands."""

    ACCEPTED = "accepted"
    """The request is valid and journalled."""
    ARMED = "armed"
    """The oscilloscope waits for the first rising edge of the marker: run now."""
    CAPTURED = "captured"
    """The last record is safe on disk: the board may stop."""
    ANALYSING = "analysing"
    """The board has finished, the energy is being computed."""
    DONE = "done"
    """The result has been published."""
    REJECTED = "rejected"
    """Refused before arming; the reason says why."""
    FAILED = "failed"
    """Broke after arming; the reason says where."""
    INTERRUPTED = "interrupted"
    """The daemon stopped meanwhile; request the run again."""

    @property
    def terminal(self) -> bool:
        """Whether nothing follows."""
        return self in {RunPhase.DONE, RunPhase.REJECTED, RunPhase.FAILED, RunPhase.INTERRUPTED}


class RunState(Message):
    """Where a run stands."""

    run_id: Identifier
    """Identifier of the run."""
    state: RunPhase
    """Its phase."""
    reason: ReasonCode | None = None
    """Reason code of a run that was rejected, failed or interrupted; null otherwise."""
    text: Text | None = None
    """The reason in words."""
    capture_index: Count = 0
    """The capture that is armed or was just taken, from 0."""
    captures: Captures = 1
    """Captures planned."""
    at_utc_ns: Nanoseconds
    """When, by the daemon's clock, in nanoseconds of UTC."""

    @property
    def terminal(self) -> bool:
        """Whether nothing follows."""
        return self.state.terminal
