"""The page in headless Chromium, on a whole simulated lab: live runs, waveforms, nobody else asked."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from calibration.store import CertificateStore
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.campaign.cell import Cell, PlannedRun
from runners.campaign.journal import FORMAT, VERSION, Journal
from runners.campaign.local_campaigns import SUFFIX
from tests.chromium import Watched, chromium, chromium_path, watched
from tests.integration.bench_stage import Stage, stage_of
from tests.mosquitto import MosquittoBroker
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.test_accuracy import zero

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium here: apt-get install chromium"),
]
BATCHES = [(0.15, 0.005)] * 8
ALWAYS_MS = 15_000
"""How long the browser may take before a test gives up; how fast it is, a benchmark tells."""
SHOTS = Path(os.environ.get("JOULEBENCH_SCREENSHOTS", "/tmp/joulebench-screenshots"))


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


@asynccontextmanager
async def page_lab(
    bench: SimulatedBenchThread, broker: MosquittoBroker, folder: Path
) -> AsyncIterator[tuple[Stage, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    async with stage_of(bench, broker.port, folder, http={"port": port, "campaigns": folder}) as stage:
        yield stage, f"http://127.0.0.1:{port}/"


@pytest_asyncio.fixture
async def lab(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> AsyncIterator[tuple[Stage, str]]:
    async with page_lab(bench, mosquitto_broker, tmp_path / "data") as found:
        yield found


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as found:
        yield found


SHOWN = {
    "#/": ("Campaign night", "1 of 5 runs are done", "345 ± 43 mJ"),
    "#/calibration": ("gain-of-long-ago", "expired", "zero-1"),
}
"""What a view must say."""


async def shoot(seen: Watched, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    await seen.page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


SCALE = "document.querySelector('.plot').chart.scales.x"
SPAN = f"({SCALE}.max - {SCALE}.min)"
ZOOM = """([edge, around]) =>
  document.querySelector('.plot').chart.setScale('x', { min: edge - around, max: edge + around })"""
PIXELS = """(place) => {
  const { chart } = place, { ctx, bbox } = chart;
  const at = (seconds) => {
    const x = Math.round(chart.valToPos(seconds, 'x', true));
    return (shift) => ctx.getImageData(x + shift, bbox.top + bbox.height - 4, 1, 1).data[3] > 0;
  };
  return { min: chart.scales.x.min, max: chart.scales.x.max, points: chart.data[0].length,
           shaded: window.edges.map((edge) => [at(edge)(-3), at(edge)(3)]) };
}"""


async def test_a_run_shows_live_and_its_waveform_is_shaded_at_the_right_samples(
    lab: tuple[Stage, str], browser: Browser
) -> None:
    stage, address = lab
    async with watched(browser) as seen:
        page = seen.page
        page.set_default_timeout(ALWAYS_MS)
        await page.goto(address)
        await expect(page.locator("#live")).to_have_attribute("data-state", "on", timeout=ALWAYS_MS)
        await shoot(seen, "bench-idle")
        await stage.request("r1")
        await expect(page.locator("[data-live-run=r1]")).to_be_visible(timeout=ALWAYS_MS)
        await stage.state("r1", "armed")
        await expect(page.locator("ol.steps li.now")).to_have_text("armed", timeout=ALWAYS_MS)
        await shoot(seen, "bench-live")
        await stage.say("started", "r1", started_utc_ns=1)
        await stage.marker.play(BATCHES)
        await stage.finish("r1", BATCHES)
        await stage.result("r1")
        await expect(page.locator("tr[data-run=r1] .badge")).to_have_text("valid", timeout=ALWAYS_MS)
        await shoot(seen, "bench-done")
        await page.click("tr[data-run=r1] a")
        await page.wait_for_selector("[data-drawn-ms]")
        capture = stage.daemon.files.read("r1-0.parquet")
        levels = capture.marker_levels()
        assert levels is not None
        rise = int(levels.argmax())  # the first high sample, seen apart from what the page uses
        edge_s = capture.time_base.time_s(rise - 0.5)
        await page.focus(".plot")
        await page.evaluate("(edge) => { window.edges = [edge]; }", edge_s)
        await shoot(seen, "run-light")
        await page.evaluate(ZOOM, [edge_s, 10.5 * capture.time_base.interval_s])
        await page.wait_for_function(f"() => {SPAN} < 0.01")
        found = await page.eval_on_selector(".plot", PIXELS)
        assert found["points"] == 100_000
        assert found["shaded"] == [[False, True]]
        await page.keyboard.press("0")
        await page.keyboard.press("+")
        span = await page.evaluate(f"() => {SPAN}")
        assert span == pytest.approx(capture.time_base.duration_s / 2)
        assert seen.problems == []
        assert {urlsplit(url).netloc for url in seen.asked} == {urlsplit(address).netloc}


def begin_campaign(folder: Path) -> None:
    """Write the journal of a campaign of five runs, one of which is done and one of which goes on."""
    cells = [Cell(network="alexnet", batch_size=size, precision="fp32") for size in (1, 2, 4, 8, 16)]
    order = [PlannedRun(index=index, cell=cell, repeat=0).document() for index, cell in enumerate(cells)]
    with Journal(folder / f"night{SUFFIX}") as journal:
        journal.append("begun", format=FORMAT, version=VERSION, campaign_id="n", place={}, settings={}, order=order)
        journal.append("commanded", index=0, attempt=1, run_id="n0")
        done = {"verdict": "done", "state": "done", "quality": "valid", "reasons": []}
        journal.append("ended", index=0, run_id="n0", duration_s=30.0, **done)
        journal.append("commanded", index=1, attempt=1, run_id="n1")


async def test_it_is_readable_in_the_dark_and_on_a_phone(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    begin_campaign(stage.configuration.storage.directory)
    await stage.run("r1", BATCHES)
    await stage.run("r2", [(0.1, 0.02)] * 12)
    for one in (certificate("gain-of-long-ago"), zero("zero-1")):
        CertificateStore(stage.configuration.calibration.directory).add(one)
    for name, width, dark in (("dark", 1280, True), ("phone", 390, False)):
        async with watched(browser, width=width, dark=dark) as seen:
            for path in ("#/", "#/runs", "#/runs/r1", "#/compare/r1/r2", "#/calibration"):
                await seen.page.goto(address + path)
                await expect(seen.page.locator("#view h1")).to_be_visible(timeout=ALWAYS_MS)
                if path in ("#/runs/r1", "#/compare/r1/r2"):
                    await seen.page.wait_for_selector(".plot canvas")
                for text in SHOWN.get(path, ()):
                    await expect(seen.page.locator("#view")).to_contain_text(text, timeout=ALWAYS_MS)
                await shoot(seen, f"{name}-{path.strip('#/').replace('/', '-') or 'bench'}")
                wide = await seen.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
                assert not wide, f"{path} has to be scrolled sideways at {width}"
            assert seen.problems == []
