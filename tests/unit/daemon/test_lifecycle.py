"""Life cycle: what each order of events makes of a run."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.lifecycle import (
    Analysed,
    Announce,
    Armed,
    BoardRestarted,
    Captured,
    Effect,
    Event,
    Expired,
    Fault,
    Finished,
    Progress,
    Shutdown,
    Started,
    advance,
    begin,
    resume,
)
from runners.messages import RunPhase

FAULT = Fault(reason="bad_block", text="a block was cut")
EXPIRED = Expired(reason="no_trigger", text="no edge")
EVENTS: tuple[Event, ...] = (
    Armed(), Started(), Captured(), Finished(), Analysed(), EXPIRED, FAULT, BoardRestarted(), Shutdown(),
)  # fmt: skip


def after(*events: Event, captures: int = 1, may_force: bool = False) -> tuple[Progress, list[Effect | Announce]]:
    """Return where a run stands after these events, and the effects of the last."""
    progress, effects = begin(captures, may_force=may_force)
    for event in events:
        progress, effects = advance(progress, event)
    return progress, list(effects)


def test_a_run_from_request_to_done() -> None:
    assert begin(1)[1] == (Announce(RunPhase.ACCEPTED), Effect.ARM)
    story: list[tuple[Event, list[Effect | Announce]]] = [
        (Armed(), [Announce(RunPhase.ARMED), Effect.AWAIT_CAPTURE]),
        (Started(), []),
        (Captured(), [Announce(RunPhase.CAPTURED), Effect.AWAIT_FINISHED]),
        (Finished(), [Announce(RunPhase.ANALYSING), Effect.ANALYSE]),
        (Analysed(), [Effect.RELEASE, Announce(RunPhase.DONE)]),
    ]
    events: list[Event] = []
    for event, effects in story:
        events.append(event)
        assert after(*events)[1] == effects
    assert after(*events)[0].phase is RunPhase.DONE


def test_a_board_that_finishes_before_the_record_is_complete() -> None:
    progress, effects = after(Armed(), Started(), Finished())
    assert (progress.phase, effects) == (RunPhase.ARMED, [Effect.HURRY])
    progress, effects = after(Armed(), Started(), Finished(), Captured())
    assert progress.phase is RunPhase.ANALYSING
    assert effects == [Announce(RunPhase.CAPTURED), Announce(RunPhase.ANALYSING), Effect.ANALYSE]


def test_captures_are_armed_one_after_the_other() -> None:
    progress, effects = after(Armed(), Captured(), captures=3)
    assert (progress.captures_taken, effects) == (1, [Effect.ARM])
    progress, effects = after(Armed(), Captured(), Armed(), Captured(), Armed(), Captured(), captures=3)
    assert (progress.captures_taken, progress.phase) == (3, RunPhase.CAPTURED)


def test_a_board_that_finishes_early_is_analysed_with_what_there_is() -> None:
    progress, _ = after(Armed(), Captured(), Armed(), Finished(), EXPIRED, captures=2)
    assert progress.phase is RunPhase.ANALYSING
    assert progress.captures_taken == 1


def test_a_lost_marker_after_the_first_capture_stops_the_board() -> None:
    progress, effects = after(Armed(), Captured(), Armed(), EXPIRED, captures=2)
    assert (progress.phase, effects) == (RunPhase.CAPTURED, [Announce(RunPhase.CAPTURED), Effect.AWAIT_FINISHED])


@pytest.mark.parametrize(
    ("events", "phase", "reason"),
    [
        ((FAULT,), RunPhase.REJECTED, "bad_block"),
        ((Armed(), FAULT), RunPhase.FAILED, "bad_block"),
        ((Armed(), EXPIRED), RunPhase.FAILED, "no_trigger"),
        ((Armed(), Finished(), EXPIRED), RunPhase.FAILED, "no_trigger"),
        ((Finished(),), RunPhase.REJECTED, "finished_before_armed"),
        ((Armed(), Captured(), EXPIRED), RunPhase.FAILED, "no_trigger"),
        ((Armed(), Captured(), Finished(), FAULT), RunPhase.FAILED, "bad_block"),
        ((Shutdown(),), RunPhase.INTERRUPTED, "shutdown"),
        ((Armed(), Shutdown()), RunPhase.INTERRUPTED, "shutdown"),
    ],
)
def test_how_a_run_ends_badly(events: tuple[Event, ...], phase: RunPhase, reason: str) -> None:
    progress, effects = after(*events)
    assert (progress.phase, progress.reason) == (phase, reason)
    assert progress.text
    assert effects == [Effect.RELEASE, Announce(phase)]


@pytest.mark.parametrize("events", [(), (Armed(),), (Armed(), Started()), (Armed(), Captured())])
def test_a_board_that_is_back_without_its_run_ends_it(events: tuple[Event, ...]) -> None:
    progress, effects = after(*events, BoardRestarted())
    assert (progress.phase, progress.reason) == (RunPhase.FAILED, "board_restarted")
    assert effects == [Effect.RELEASE, Announce(RunPhase.FAILED)]


@pytest.mark.parametrize("events", [(Armed(), Finished()), (Armed(), Captured(), Finished())])
def test_a_board_that_had_done_its_part_may_start_again(events: tuple[Event, ...]) -> None:
    before, _ = after(*events)
    assert after(*events, BoardRestarted()) == (before, [])


@pytest.mark.parametrize("events", [(Armed(), Finished()), (Armed(), Captured(), Finished())])
def test_a_board_that_gives_up_after_its_part_spoils_nothing(events: tuple[Event, ...]) -> None:
    """A command or a second `finished` that cannot be read comes as an abort too; the daemon has all it needs."""
    before, _ = after(*events)
    assert after(*events, replace(FAULT, by_board=True)) == (before, [])
    assert after(*events, FAULT)[0].phase is RunPhase.FAILED, "what breaks in the lab still ends it"


@pytest.mark.parametrize("events", [(Armed(), Captured()), (Armed(), Captured(), Finished())])
def test_a_run_that_is_captured_is_left_to_the_next_daemon(events: tuple[Event, ...]) -> None:
    before, _ = after(*events)
    assert after(*events, Shutdown()) == (before, [Effect.HAND_OVER])


def test_a_second_finished_changes_nothing() -> None:
    once, _ = after(Armed(), Finished())
    twice, effects = after(Armed(), Finished(), Finished())
    assert (once, []) == (twice, effects)


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.integers(1, 3))
def test_whatever_comes_a_run_that_is_over_stays_over(events: list[Event], captures: int) -> None:
    progress, _ = begin(captures)
    for event in events:
        before = progress
        progress, effects = advance(progress, event)
        if before.over:
            assert (progress, effects) == (before, ())


@pytest.mark.parametrize("events", list(itertools.permutations((Armed(), Started(), Captured(), Finished()))))
def test_no_order_of_a_boards_messages_leaves_the_bench_waiting_for_ever(events: tuple[Event, ...]) -> None:
    """Every phase that is not the end has something under way that will report: an effect, or a limit."""
    progress, effects = begin(1)
    pending = set(effects)
    for event in events:
        progress, effects = advance(progress, event)
        pending |= set(effects)
    waits = {Effect.ARM, Effect.AWAIT_CAPTURE, Effect.AWAIT_FINISHED, Effect.ANALYSE, Effect.HURRY}
    assert progress.over or pending & waits


class TestForcing:
    """Where the board can do without a marker, the lab triggers once the board runs and the oscilloscope is armed."""

    def test_a_board_that_starts_is_captured(self) -> None:
        assert after(Armed(), Started(), may_force=True)[1] == [Effect.FORCE]

    def test_a_started_that_came_twice_forces_once(self) -> None:
        assert after(Armed(), Started(), Started(), may_force=True)[1] == []

    def test_a_board_that_started_early_is_captured_once_armed(self) -> None:
        assert after(Started(), may_force=True)[1] == []
        effects = after(Started(), Armed(), may_force=True)[1]
        assert effects == [Announce(RunPhase.ARMED), Effect.AWAIT_CAPTURE, Effect.FORCE]

    def test_later_captures_are_forced_as_soon_as_they_are_armed(self) -> None:
        story = [Armed(), Started(), Captured(), Armed()]
        assert after(*story, captures=2, may_force=True)[1][-1] is Effect.FORCE

    @given(st.lists(st.sampled_from(EVENTS), max_size=12))
    def test_nothing_is_forced_that_the_board_did_not_offer(self, events: list[Event]) -> None:
        for count in range(len(events) + 1):
            assert Effect.FORCE not in after(*events[:count], captures=3)[1]


def test_what_expires_while_a_run_is_analysed_changes_nothing() -> None:
    """The wait for `finished` may end in the moment in which it comes; the run is not to be analysed twice."""
    analysing, _ = resume(1, captures_taken=1, finished=True)
    assert advance(analysing, EXPIRED) == (analysing, ())


@pytest.mark.parametrize(("finished", "phase"), [(True, RunPhase.ANALYSING), (False, RunPhase.CAPTURED)])
def test_a_run_that_was_captured_before_a_restart_goes_on_behind_its_captures(finished: bool, phase: RunPhase) -> None:
    progress, effects = resume(3, captures_taken=2, finished=finished)
    assert (progress.phase, progress.captures_taken, progress.over) == (phase, 2, False)
    assert Effect.ARM not in effects
    assert effects[-1] is (Effect.ANALYSE if finished else Effect.AWAIT_FINISHED)
    if not finished:
        assert advance(progress, Finished())[0].phase is RunPhase.ANALYSING
