"""Whoever looks does not delay whoever measures: a run passes the page's readings by."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from daemon.web.page_reader import PageReader
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.mosquitto import MosquittoBroker
from tests.page_lab import BATCHES, page_lab

pytestmark = pytest.mark.mosquitto
STUCK_S = 40.0
"""So long a reading is stuck at most: a daemon that waits for it is to fail, not to hang."""


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


class StuckReading:
    """A reading of the page that takes as long as one likes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self._goes_on = threading.Event(), threading.Event()
        monkeypatch.setattr(PageReader, "waveform", self._waveform)

    def _waveform(self, *_: object) -> bytes:
        self.begun.set()
        self._goes_on.wait(STUCK_S)
        return b"late"

    def go_on(self) -> None:
        self._goes_on.set()


async def test_a_run_ends_while_a_reading_of_the_page_is_stuck(
    bench: SimulatedBenchThread,
    mosquitto_broker: MosquittoBroker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck = StuckReading(monkeypatch)
    async with (
        page_lab(bench, mosquitto_broker.port, tmp_path / "data") as (stage, address),
        httpx.AsyncClient(timeout=60) as client,
    ):
        await stage.run("before", BATCHES)
        looks = [asyncio.create_task(_look(client, address)) for _ in range(3)]
        try:
            assert await asyncio.to_thread(stuck.begun.wait, 10), "nobody reads"
            result = await stage.run("beside", BATCHES)
            assert not any(one.done() for one in looks), "the reading was to be stuck all the while"
        finally:
            stuck.go_on()
            answers = await asyncio.gather(*looks, return_exceptions=True)
        assert (result["quality"], answers) == ("valid", [b"late"] * 3)


async def _look(client: httpx.AsyncClient, address: str) -> bytes:
    answer = await client.get(f"{address}api/v1/runs/before/captures/0/waveform")
    return answer.raise_for_status().content
