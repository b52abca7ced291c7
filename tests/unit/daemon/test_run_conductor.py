"""What a run's conductor is told when the run is over."""

from dataclasses import replace
from typing import Any, cast

from daemon.lifecycle import Started
from daemon.records import RunRecord
from daemon.run_conductor import RunConductor, Services
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
