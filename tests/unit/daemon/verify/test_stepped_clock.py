"""A clock that another process steps."""

import time
from pathlib import Path

import pytest

from daemon.verify.faults.stepped_clock import SteppedClock

YEAR_NS = 365 * 86400 * 10**9


def test_a_process_lives_by_the_clock_that_another_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What install() replaces is put back by these.
    true_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", true_ns)
    monkeypatch.setattr(time, "time", time.time)
    inside, outside = SteppedClock(tmp_path / "clock"), SteppedClock(tmp_path / "clock")
    inside.install()
    assert abs(time.time_ns() - true_ns()) < 10**9
    for step_ns in (YEAR_NS, -YEAR_NS, -1, 0):
        outside.step(step_ns)
        before_ns, found_ns, after_ns = true_ns(), time.time_ns(), true_ns()
        assert before_ns <= found_ns - step_ns <= after_ns
        assert time.time() == pytest.approx((true_ns() + step_ns) / 1e9, abs=60)
        assert inside.step_ns == step_ns
    inside.close()
    outside.close()
