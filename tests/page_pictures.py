"""Pictures of the page for the documents, made of a simulated lab, so that they stay true.

    python -m tests.page_pictures [--out docs/images]

Needs mosquitto and Chromium. Each picture is small: 256 colours are enough for a page.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.world import WorldSettings
from tests.chromium import chromium, watched
from tests.integration.bench_stage import Stage
from tests.mosquitto import MosquittoBroker
from tests.page_lab import RUNS, begin_campaign, calibrate, page_lab, perform

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
LARGEST_BYTES = 200_000
BENCH = {"bench": {"name": "lab-1"}, "calibration": {"missing": "degrade"}, "runs": {"trigger_timeout_s": 100.0}}
Do = Callable[[Page], Awaitable[None]]


async def _nothing(page: Page) -> None:
    del page


async def _both_zoomed(page: Page) -> None:
    await page.click("[data-which=both]")
    await page.click("text=First batches")
    await page.mouse.move(5, 5)


async def _gain(page: Page) -> None:
    await page.click("td a:text-matches('^gain-')")
    await page.wait_for_selector(".certificate.wanted img")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture."""

    name: str
    """Its file."""
    path: str
    """Where on the page."""
    ready: str
    """What is there once it can be taken."""
    width: int = 1280
    height: int = 1000
    dark: bool = False
    before: Do = _nothing
    """What is done first."""


RUN = "#/runs/resnet18-b4-1"
COMPARED = "#/compare/resnet18-b4-1/resnet18-b4-2"
PICTURES = (
    Picture(name="page-bench.png", path="#/", ready="#hand .steps"),
    Picture(name="page-run.png", path=RUN, ready=".budget", height=1180),
    Picture(name="page-zoom-dark.png", path=RUN, ready=".budget", height=980, dark=True, before=_both_zoomed),
    Picture(name="page-compare.png", path=COMPARED, ready=".plot canvas"),
    Picture(name="page-calibration.png", path="#/calibration", ready=".certificate img", before=_gain),
    Picture(name="page-phone.png", path=RUN, ready=".budget", width=390, height=1100),
)


async def take(pictures: tuple[Picture, ...], out: Path) -> None:
    """Make a lab, measure, and take the pictures of it, with a run in hand."""
    with tempfile.TemporaryDirectory() as name:
        broker = MosquittoBroker(Path(name))
        broker.start()
        try:
            await _take(pictures, out, broker, Path(name) / "data")
        finally:
            broker.stop()


async def _take(pictures: tuple[Picture, ...], out: Path, broker: MosquittoBroker, folder: Path) -> None:
    settings = WorldSettings(seed=11, time_scale=10.0, errors=InstrumentErrors.DATASHEET)
    with SimulatedBenchThread(settings) as bench:
        _say("calibrating the simulated bench")
        await calibrate(bench, folder, **BENCH)
        async with page_lab(bench, broker.port, folder, **BENCH) as (stage, address):
            for run_id in RUNS:
                _say(f"measuring {run_id}")
                await perform(stage, run_id)
            begin_campaign(folder)
            await _with_a_run_in_hand(stage, lambda: _shoot(pictures, out, address))


async def _with_a_run_in_hand(stage: Stage, work: Callable[[], Awaitable[None]]) -> None:
    await stage.request("vgg16-b1-1", network="vgg16", batch_size=1)
    await stage.state("vgg16-b1-1", "armed")
    await work()
    await stage.say("abort", "vgg16-b1-1", reason="user", text="the pictures are taken")
    await stage.state("vgg16-b1-1", "failed", "interrupted")


async def _shoot(pictures: tuple[Picture, ...], out: Path, address: str) -> None:
    out.mkdir(parents=True, exist_ok=True)
    async with chromium() as browser:
        for one in pictures:
            async with watched(browser, width=one.width, height=one.height, dark=one.dark) as seen:
                await seen.page.goto(address + one.path)
                await seen.page.wait_for_selector(one.ready, state="attached")
                await one.before(seen.page)
                await _at_rest(seen.page)
                await seen.page.wait_for_function("() => [...document.images].every((one) => one.complete)")
                await seen.page.evaluate("() => document.fonts.ready")
                await seen.page.screenshot(path=out / one.name, animations="disabled")
            small(out / one.name)
            _say(f"{out / one.name}: {(out / one.name).stat().st_size / 1e3:.0f} kB")


async def _at_rest(page: Page) -> None:
    """Wait until what is in view has been told as well, where there is a waveform."""
    if await page.locator(".plot").count():
        await page.locator(".inview dd").first.wait_for()


def small(path: Path) -> None:
    """Write a picture again with 256 colours."""
    with Image.open(path) as found:
        few = found.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    asyncio.run(take(PICTURES, arguments.out))
