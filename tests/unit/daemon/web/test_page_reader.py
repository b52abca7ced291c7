"""The reader keeps out of a run's way, and does not draw twice what it has drawn."""

import asyncio

import pytest

from daemon.captures import CaptureFiles
from daemon.web import page_reader
from daemon.web.capture_reader import KEPT_WAVEFORMS
from daemon.web.page_reader import PageReader
from tests.unit.daemon.web.stage import WebStage
from tests.unit.daemon.web.test_page import asked, stage

__all__ = ["stage"]


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return what the reader rested, without waiting for it."""
    found: list[float] = []

    async def rest(seconds: float) -> None:
        found.append(seconds)

    monkeypatch.setattr(page_reader.asyncio, "sleep", rest)
    monkeypatch.setattr(page_reader.time, "monotonic", lambda: 5.0)
    return found


async def test_it_rests_between_readings_while_a_run_is_in_hand(stage: WebStage, rests: list[float]) -> None:
    stage.health.run_in_hand = "r1"
    for _ in range(2):
        assert (await asked(stage, "/api/v1/runs")).status_code == 200
    assert rests == [pytest.approx(page_reader.REST_S)] * 2, "before the first as well: the bench is being armed"


async def test_each_run_has_its_rest(stage: WebStage, rests: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    for number, run_id in enumerate(("r1", "r2")):
        monkeypatch.setattr(page_reader.time, "monotonic", lambda at=100.0 * number: at)
        stage.health.run_in_hand = run_id
        await asked(stage, "/api/v1/runs")
    assert rests == [pytest.approx(page_reader.REST_S)] * 2


async def test_it_does_not_while_the_bench_is_free(stage: WebStage, rests: list[float]) -> None:
    for _ in range(2):
        await asked(stage, "/api/v1/runs")
    assert rests == []


async def test_a_waveform_is_made_once(stage: WebStage, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    read = CaptureFiles.read
    monkeypatch.setattr(CaptureFiles, "read", lambda *a, **k: (made.append("r1"), read(*a, **k))[1])
    for _ in range(3):
        assert (await asked(stage, "/api/v1/runs/r1/captures/0/waveform")).status_code == 200
    assert made == ["r1"]
    assert len(stage.reader._captures._sent) == 1 <= KEPT_WAVEFORMS


async def test_readings_of_one_reader_take_turns(stage: WebStage) -> None:
    reader: PageReader = stage.reader
    assert await asyncio.gather(*(reader.read(lambda n=n: n) for n in range(8))) == list(range(8))
