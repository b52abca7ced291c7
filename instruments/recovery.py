"""Recovery: a session brought back into step after a failure, by the least drastic step that works."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from instruments.connection import Link
from instruments.errors import InstrumentError
from instruments.visa_session import VisaSession


class RecoveryStep(StrEnum):
    """What brought an instrument back, the least drastic first."""

    ASK = "ask"
    """Nothing: asked who it is, it answered at once."""
    DRAIN = "drain"
    """What was still coming was thrown away."""
    CLEAR = "clear"
    """A device clear: the instrument's buffers were emptied."""
    REOPEN = "reopen"
    """The connection was closed and made again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How an instrument was brought back, or that it was not."""

    instrument: str
    """Role of the instrument, such as `oscilloscope`."""
    step: RecoveryStep | None
    """The step that worked; None where none did."""
    duration_s: float
    """How long it took, in seconds."""
    tried: tuple[str, ...] = ()
    """What came of each step before it."""
    reported: tuple[str, ...] = ()
    """What the instrument's error queue held then: traces of the failure, now gone."""
    failure: InstrumentError | None = None
    """Why no step worked; None where one did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """What the steps that keep a connection came to."""

    step: RecoveryStep | None
    """The one that worked; None where the connection must be made again."""
    tried: tuple[str, ...] = ()
    """What came of each before it."""
    reported: tuple[str, ...] = ()
    """What was left in the error queue."""


def climb(session: VisaSession, identify: Callable[[], str], *, wanted: Callable[[], bool] = lambda: True) -> Climb:
    """Take one step after the other until the instrument says who it is; blocking, on the session's thread.

    Only that answer shows that question and answer belong together again: transports deliver in order, so nothing
    older can come after it. A late answer in its place is no identity, or another one, and counts as a failed step.
    Where the lost question was that for the identity, its late answer looks like the new one; the error queue, asked
    next, then answers with an identity, which is no error entry, and the step has failed too.

    Args:
        session: the conversation.
        identify: asks the instrument who it is; raises an `InstrumentError` where it is not the one that it should be.
        wanted: says whether anybody still waits for it; asked before each step, which may touch a newer connection.
    """
    steps: tuple[tuple[RecoveryStep, Callable[[], bool]], ...] = (
        (RecoveryStep.ASK, lambda: session.link is Link.GOOD),
        (RecoveryStep.DRAIN, session.drain),
        (RecoveryStep.CLEAR, session.clear),
    )
    tried: list[str] = []
    for step, take in steps:
        if not wanted():
            break
        try:
            if not take():  # there is no such step on this transport, or no use in it
                continue
            identify()
            reported = session.drain_errors()
        except InstrumentError as error:
            tried.append(f"{step.value}: {error}")
        else:
            return Climb(step=step, tried=tuple(tried), reported=tuple(reported))
    return Climb(step=None, tried=tuple(tried))
