"""Refusals: a thousand an hour are kept, and the first that is not is told."""

import logging

import pytest

from daemon.refusals import KEPT_REFUSALS, WINDOW_S, RefusalAllowance


def test_a_thousand_an_hour_are_kept(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 5.0
    allowance = RefusalAllowance(monotonic_s=lambda: now_s)
    with caplog.at_level(logging.ERROR, "daemon.refusals"):
        assert sum(allowance.take() for _ in range(3 * KEPT_REFUSALS)) == KEPT_REFUSALS == 1000
    assert len(caplog.records) == 1, "told once, not two thousand times"
    now_s += WINDOW_S - 1
    assert not allowance.take()
    now_s += 1
    assert sum(allowance.take() for _ in range(3 * KEPT_REFUSALS)) == KEPT_REFUSALS
