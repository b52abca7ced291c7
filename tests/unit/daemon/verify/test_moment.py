"""When a fault strikes: at a state of the run, or by the clock."""

import asyncio
from collections import Counter

import numpy as np

from daemon.verify.faults.lab_watch import LabWatch
from daemon.verify.faults.moment import AMONG_S, BEFORE_S, PHASES, SOON_S, Moment
from runners.messages import RunPhase, RunState, encode

TOPIC = "joulebench/v1/b/runs/r/state"


def watch() -> LabWatch:
    return LabWatch(port=1, bench="b", board="board")


def tell(lab: LabWatch, phase: RunPhase) -> None:
    state = RunState(run_id="r", state=phase, reason=None, text=None, capture_index=0, captures=1, at_utc_ns=1)
    lab._take(TOPIC, encode(state))


def test_half_of_them_follow_a_state_and_each_state_is_followed(rng: np.random.Generator) -> None:
    moments = [Moment.drawn(rng) for _ in range(2000)]
    by_phase = Counter(moment.phase for moment in moments)
    assert 900 < by_phase.pop(None) < 1100
    assert set(by_phase) == set(PHASES)
    assert min(by_phase.values()) > 130
    for moment in moments:
        least_s, most_s = (0.0, SOON_S) if moment.phase else (-BEFORE_S, AMONG_S)
        assert least_s <= moment.seconds <= most_s
    assert any(moment.seconds < 0 for moment in moments)


def test_a_moment_says_when_it_is() -> None:
    assert str(Moment(phase=RunPhase.ARMED, seconds=0.012)) == "12 ms after armed"
    assert str(Moment(phase=None, seconds=0.5)) == "0.50 s after the command"
    assert str(Moment(phase=None, seconds=-0.25)) == "0.25 s before the command"


async def test_a_moment_waits_for_its_state() -> None:
    lab = watch()
    coming = asyncio.create_task(Moment(phase=RunPhase.CAPTURED, seconds=0.0).come(lab, "r"))
    await asyncio.sleep(0)
    for phase in (RunPhase.ACCEPTED, RunPhase.ARMED):
        tell(lab, phase)
        await asyncio.wait([coming], timeout=0.05)
        assert not coming.done(), phase
    tell(lab, RunPhase.CAPTURED)
    await coming


async def test_a_moment_does_not_wait_for_a_state_that_will_not_come() -> None:
    lab = watch()
    coming = asyncio.create_task(Moment(phase=RunPhase.DONE, seconds=0.0).come(lab, "r"))
    await asyncio.sleep(0)
    tell(lab, RunPhase.FAILED)
    await coming


def test_the_last_word_of_a_run_is_the_latest_that_was_told_or_answered() -> None:
    lab = watch()
    assert lab.heard("r").last_word is None
    tell(lab, RunPhase.ARMED)
    assert (lab.heard("r").last_word, lab.heard("r").acknowledged) == (None, True)
    tell(lab, RunPhase.DONE)
    assert lab.heard("r").last_word == "done"
    answer = b'{"v": 1, "run_id": "r", "state": "interrupted", "reason": "daemon_stopped", "text": "it stopped"}'
    lab._take("joulebench/v1/b/runs/r/answer", answer)
    assert lab.heard("r").last_word == "interrupted: daemon_stopped"
    lab._take("joulebench/v1/b/runs/r/answer", b"no JSON")  # is logged, and changes nothing
    assert lab.heard("r").last_word == "interrupted: daemon_stopped"
