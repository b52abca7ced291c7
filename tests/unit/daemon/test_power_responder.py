"""Power responder: a reading is what a board draws; whatever else there is has a reason, and ends nothing."""

import asyncio
import json
from dataclasses import replace
from typing import Any, cast

import pytest

from daemon.bench_keeper import BenchKeeper
from daemon.power_responder import PowerResponder
from instruments.bench import Bench
from instruments.errors import ConnectionFailed
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading
from runners.broker_link import Outgoing
from runners.topics import Topics

TOPICS = Topics("lab")
GOOD = SupplyReading(
    voltage_v=19.0, current_a=0.15, mode=SupplyMode.CV, output_on=True, ovp_tripped=False, events=Questionable(0)
)


class SupplyOnly:
    """A bench of which only the supply is asked."""

    def __init__(self, reading: SupplyReading | Exception) -> None:
        self.identities: dict[str, str] = {}
        self.reading = reading

    async def open(self) -> dict[str, str]:
        return {}

    async def read_supply(self, *, take_events: bool) -> SupplyReading:
        assert not take_events, "what is latched is the next run's"
        if isinstance(self.reading, Exception):
            raise self.reading
        return self.reading


async def answers(*readings: SupplyReading | Exception) -> list[dict[str, Any]]:
    """Ask once for each reading, of one responder, and return what it answers."""
    bench = SupplyOnly(GOOD)
    keeper = BenchKeeper(cast(Bench, bench), set_points={}, on_instruments=lambda _: None)
    published: asyncio.Queue[Outgoing] = asyncio.Queue()
    responder = PowerResponder(TOPICS, keeper, published.put_nowait, current_run=lambda: None)
    task = asyncio.create_task(responder.run(), name="power")
    try:
        told = []
        for reading in readings:
            await keeper.open()
            bench.reading = reading
            assert responder.take(TOPICS.power_query)
            told.append(json.loads((await asyncio.wait_for(published.get(), 10)).payload))
        return told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_tells_what_the_board_draws() -> None:
    (told,) = await answers(GOOD)
    assert (told["power_w"], told["reason"]) == (pytest.approx(2.85), None)


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (replace(GOOD, output_on=False, mode=SupplyMode.OFF, current_a=0.0), "supply_off"),
        (replace(GOOD, ovp_tripped=True, mode=SupplyMode.OFF, current_a=0.0), "supply_tripped"),
        (replace(GOOD, mode=SupplyMode.CC), "supply_not_cv"),
        (replace(GOOD, current_a=float("nan")), "bad_answer"),
        (replace(GOOD, voltage_v=float("inf")), "bad_answer"),
    ],
)
async def test_what_is_no_boards_power_is_not_told_as_one(reading: SupplyReading, reason: str) -> None:
    (told,) = await answers(reading)
    assert (told["power_w"], told["reason"]) == (None, reason)
    assert told["text"].startswith("power_supply: ")


@pytest.mark.parametrize(
    ("error", "reason"),
    [(ConnectionFailed("gone", instrument="power_supply", operation="read"), "instrument_unreachable"),
     (RuntimeError("a defect"), "internal_error")],
)  # fmt: skip
async def test_after_a_failure_it_answers_on(error: Exception, reason: str) -> None:
    failed, told = await answers(error, GOOD)
    assert (failed["power_w"], failed["reason"]) == (None, reason)
    assert told["power_w"] == pytest.approx(2.85)
