"""Life cycle of a run: a pure function from (progress, event) to (progress, effects).

    accepted --armed--> armed --captured--> [armed again ...] --last--> captured --finished--> analysing --> done
        |                 |                                                |                      |
        +-> rejected      +-> failed <-------------------------------------+----------------------+
    accepted, armed --shutdown--> interrupted; captured and analysing stay, for the next daemon

It knows no clock, no instrument and no broker: `daemon.conductor` performs the effects and reports what happened as
the next event.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from runners.messages import RunPhase


class Effect(StrEnum):
    """What the conductor is to do next."""

    ARM = "arm"
    """Check the bench, programme the oscilloscope and arm it; report `Armed` or `Fault`."""
    AWAIT_CAPTURE = "await_capture"
    """Wait for the record, read it and store it; report `Captured`, `Expired` or `Fault`."""
    HURRY = "hurry"
    """The board is done: give the record in hand the time it still needs, no more."""
    FORCE = "force"
    """Force the trigger of the armed oscilloscope, where no marker edge has triggered it."""
    AWAIT_FINISHED = "await_finished"
    """Give the board its time to say that it has finished; report `Expired` after it."""
    ANALYSE = "analyse"
    """Compute, store and publish the result; report `Analysed` or `Fault`."""
    RELEASE = "release"
    """Stop the oscilloscope if it is armed, and free the bench for the next run."""
    HAND_OVER = "hand_over"
    """Leave the run as it is to the next daemon, which resumes it."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Publish that the run has come into this phase."""

    phase: RunPhase
    """The phase; its reason stands in the progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """The oscilloscope waits for its trigger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The board says that it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """One record is safe on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The board says that it has finished, and what it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """The result is stored and published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Something awaited did not come in time."""

    reason: str
    """Reason code."""
    text: str
    """What was awaited, how long, and what to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something broke: an instrument, the disk, the analysis, or the board gave up."""

    reason: str
    """Reason code."""
    text: str
    """What, where, and what to do."""
    by_board: bool = False
    """The board gave up, or what it said could not be read; after its `finished` that changes nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRestarted:
    """The board's agent was started again, and knows nothing of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """The daemon stops."""


Event = Armed | Started | Captured | Finished | Analysed | Expired | Fault | BoardRestarted | Shutdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a run stands."""

    captures_planned: int
    """Captures that the request asks for."""
    may_force: bool = False
    """The board can do without a marker: the lab forces the trigger once it runs."""
    phase: RunPhase = RunPhase.ACCEPTED
    """What the board has been told, or is about to be."""
    captures_taken: int = 0
    """Records on disk."""
    started: bool = False
    """The board has said that it runs."""
    finished: bool = False
    """The board has said that it has finished."""
    reason: str | None = None
    """Why the run ended as it did; None while it goes on and when it is done."""
    text: str | None = None
    """The reason in words."""

    @property
    def over(self) -> bool:
        """The run has ended, one way or another."""
        return self.phase in TERMINAL


TERMINAL = frozenset({RunPhase.DONE, RunPhase.REJECTED, RunPhase.FAILED, RunPhase.INTERRUPTED})
CAPTURED_WHOLE = frozenset({RunPhase.CAPTURED, RunPhase.ANALYSING})
"""Phases in which a run needs nothing more of the bench: any daemon can bring it to its end."""

Step = tuple[Progress, tuple[Effect | Announce, ...]]


def begin(captures_planned: int, *, may_force: bool = False) -> Step:
    """Return the first step of a run whose request has been validated and journalled."""
    return Progress(captures_planned=captures_planned, may_force=may_force), (Announce(RunPhase.ACCEPTED), Effect.ARM)


def resume(captures_planned: int, *, captures_taken: int, finished: bool) -> Step:
    """Return the first step of a run that was captured when an earlier daemon ended.

    What it needs of the bench is done; where its board has reported already it is analysed, otherwise that is awaited.
    """
    captured = Progress(
        captures_planned=captures_planned,
        phase=RunPhase.CAPTURED,
        captures_taken=captures_taken,
        started=True,
        finished=finished,
    )
    return _all_captured(captured)


def advance(progress: Progress, event: Event) -> Step:  # noqa: PLR0911 - one return an event
    """Return what an event makes of a run. A run that is over stays as it is, whatever comes late."""
    if progress.over:
        return progress, ()
    match event:
        case Armed():
            return _armed(progress)
        case Started():
            return _started(progress)
        case Captured():
            return _captured(progress)
        case Finished():
            return _finished(progress)
        case Analysed():
            return _end(progress, RunPhase.DONE)
        case Expired():
            return _expired(progress, event)
        case Fault(by_board=True) if progress.finished:
            return progress, ()
        case Fault():
            # Nothing has been promised to the board before it was told `armed`: that is a refusal, not a failure.
            refused = progress.phase is RunPhase.ACCEPTED
            return _end(progress, RunPhase.REJECTED if refused else RunPhase.FAILED, event.reason, event.text)
        case BoardRestarted():
            return _restarted(progress)
        case Shutdown() if progress.phase in CAPTURED_WHOLE:
            return progress, (Effect.HAND_OVER,)
        case Shutdown():
            return _end(progress, RunPhase.INTERRUPTED, "shutdown", "the daemon was stopped; request the run again")


def _restarted(progress: Progress) -> Step:
    """End the run, unless the board had done its part before."""
    if progress.finished:
        return progress, ()
    text = "the board is back without this run: its agent was started again meanwhile"
    return _end(progress, RunPhase.FAILED, "board_restarted", text)


def _armed(progress: Progress) -> Step:
    effects = (Announce(RunPhase.ARMED), Effect.AWAIT_CAPTURE)
    forced = (Effect.FORCE,) if progress.may_force and progress.started else ()
    return replace(progress, phase=RunPhase.ARMED), (*effects, *forced)


def _started(progress: Progress) -> Step:
    armed = progress.phase is RunPhase.ARMED and not progress.started
    return replace(progress, started=True), (Effect.FORCE,) if progress.may_force and armed else ()


def _captured(progress: Progress) -> Step:
    taken = replace(progress, captures_taken=progress.captures_taken + 1)
    if taken.captures_taken < taken.captures_planned and not taken.finished:
        return taken, (Effect.ARM,)
    return _all_captured(taken)


def _all_captured(progress: Progress) -> Step:
    """No further capture is coming: the board may stop, or has stopped already."""
    captured, announced = replace(progress, phase=RunPhase.CAPTURED), (Announce(RunPhase.CAPTURED),)
    if not progress.finished:
        return captured, (*announced, Effect.AWAIT_FINISHED)
    analysing, effects = _analyse(captured)
    return analysing, (*announced, *effects)


def _finished(progress: Progress) -> Step:
    if progress.finished:
        return progress, ()
    finished = replace(progress, finished=True)
    match progress.phase:
        case RunPhase.ACCEPTED:
            text = "the board finished before the oscilloscope was armed; wait for state armed before running"
            return _end(finished, RunPhase.REJECTED, "finished_before_armed", text)
        case RunPhase.CAPTURED:
            return _analyse(finished)
        case _:
            return finished, (Effect.HURRY,)


def _expired(progress: Progress, event: Expired) -> Step:
    """Go on with the captures there are, where there are any; otherwise the run has failed.

    A run that is being analysed waits for nothing any more: what expires then was on its way when the last of it came.
    """
    if progress.phase is RunPhase.ANALYSING:
        return progress, ()
    if progress.phase is RunPhase.CAPTURED or progress.captures_taken == 0:
        return _end(progress, RunPhase.FAILED, event.reason, event.text)
    return _all_captured(progress)


def _analyse(progress: Progress) -> Step:
    return replace(progress, phase=RunPhase.ANALYSING), (Announce(RunPhase.ANALYSING), Effect.ANALYSE)


def _end(progress: Progress, phase: RunPhase, reason: str | None = None, text: str | None = None) -> Step:
    return replace(progress, phase=phase, reason=reason, text=text), (Effect.RELEASE, Announce(phase))
