"""What tests of the page share: a lab of their own, a browser, and what a chart's pixels say."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.chromium import chromium, chromium_path
from tests.integration.bench_stage import Stage
from tests.mosquitto import MosquittoBroker
from tests.page_lab import page_lab

needs_chromium = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


@pytest_asyncio.fixture
async def lab(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> AsyncIterator[tuple[Stage, str]]:
    async with page_lab(bench, mosquitto_broker.port, tmp_path / "data") as found:
        yield found


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


APPEARS = """(wanted) => new Promise((resolve) => {
  const look = () => document.querySelector(`[data-live-run="${wanted}"]`)
    ? resolve(performance.timeOrigin + performance.now()) : requestAnimationFrame(look);
  look();
})"""
DRAWN = """() => new Promise((resolve) => {
  const began = performance.now();
  document.querySelector('tr[data-run] a').click();
  const look = () => document.querySelector('[data-drawn-ms]')
    ? requestAnimationFrame(() => resolve(performance.now() - began)) : requestAnimationFrame(look);
  look();
})"""
ZOOM = """([start, end]) => new Promise((resolve) => {
  document.querySelector('.plot').chart.setScale('x', { min: start, max: end });
  requestAnimationFrame(() => requestAnimationFrame(resolve));
})"""
# A row below the curves and above the marker's lane is looked at: the batches' orange is redder than it is blue, and
# nothing else that is painted there is. A line of the grid may hide one pixel, never all of these.
SHADED = """(times) => {
  const { chart } = document.querySelector('.plot'), { ctx, bbox } = chart;
  const row = bbox.top + bbox.height - 24 * devicePixelRatio;
  const orange = (x, y) => {
    const [red, , blue, alpha] = ctx.getImageData(x, y, 1, 1).data;
    return alpha > 0 && red > blue + 40;
  };
  return times.map((time) => {
    const x = Math.round(chart.valToPos(time, 'x', true));
    return [-3, 0, 3].some((right) => [-3, 0, 3].some((down) => orange(x + right, row + down)));
  });
}"""
VIEW = "() => { const { min, max } = document.querySelector('.plot').chart.scales.x; return [min, max]; }"


async def view_of(page: Page) -> tuple[float, float]:
    """Return the stretch of time that a chart shows, in seconds."""
    low, high = await page.evaluate(VIEW)
    return float(low), float(high)


async def shaded(page: Page, times_s: list[float], view_s: tuple[float, float]) -> list[bool]:
    """Show a stretch of time, and return at each of some times whether the chart is shaded there."""
    await page.evaluate(ZOOM, list(view_s))
    found: Any = await page.evaluate(SHADED, times_s)
    return [bool(one) for one in found]


async def drawn(page: Page, address: str, run_id: str) -> None:
    """Go to a run, and wait until its waveform is drawn."""
    await page.goto("about:blank")
    await page.goto(f"{address}#/runs/{run_id}")
    await page.wait_for_selector("[data-drawn-ms]")
