"""What a run's conductor is told when the run is over."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from daemon.lifecycle import Started
from daemon.records import RunRecord
from daemon.run_conductor import RunConductor, RunTimes, Services
from runners.messages import RunPhase

RUN = RunRecord(
    run_id="r", bench="b", board="board", network="alexnet", batch_size=1, precision="fp32", images_planned=None,
    captures=1, sync=("marker",), state=RunPhase.ACCEPTED, reason=None, text=None, finished=None, requested_utc_ns=1,
    updated_utc_ns=1,
)  # fmt: skip


async def test_nobody_waits_for_what_is_told_behind_the_end() -> None:
    conductor = RunConductor(RUN, cast("Services", cast("Any", None)))
    assert not conductor.tell(Started()).done()
    conductor.progress = replace(conductor.progress, phase=RunPhase.FAILED)
    assert conductor.tell(Started()).done()


async def test_a_board_that_the_broker_keeps_away_has_all_its_time_once_it_is_back() -> None:
    """Nor is the run taken for stuck meanwhile: the service's watchdog would end the daemon for it."""
    times = RunTimes(trigger_timeout_s=60.0, finished_timeout_s=60.0, record_s=2.0)
    services = cast("Services", SimpleNamespace(times=times, connected=lambda: False))
    conductor = RunConductor(RUN, services, captures_taken=1)
    conductor._await_finished()
    hours_ago, conductor._stepped_s = conductor._timer, conductor._stepped_s - 36000.0
    assert conductor.overdue_s > 0
    conductor._give_up_finished()
    assert conductor.overdue_s == 0
    assert conductor._events.empty()
    away = conductor._timer
    conductor.excuse()
    assert hours_ago is not None
    assert away is not None
    assert (hours_ago.cancelled(), away.cancelled()) == (True, True)
    assert conductor._timer is not None
    assert not conductor._timer.cancelled()
    conductor._timer.cancel()
