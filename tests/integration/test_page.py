"""The page in headless Chromium, on a whole simulated lab: live runs, waveforms, nobody else asked."""

import asyncio
import time
from statistics import median
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from runners.campaign.journal import Journal
from runners.campaign.local_campaigns import SUFFIX
from tests.chromium import watched
from tests.integration.bench_stage import Stage
from tests.integration.page_stage import APPEARS, DRAWN, bench, browser, drawn, lab, needs_chromium, shaded, view_of
from tests.page_lab import BATCHES, begin_campaign
from tests.slowdown import slowdown

__all__ = ["bench", "browser", "lab"]
pytestmark = needs_chromium
LIVE_S, DRAWN_MS = 1.0, 300.0
"""Bounds that the page is to keep in the middle of several tries, on a computer with nothing else to do; by what it has
to do, measured beside each try, they are stretched."""
DRAWN_TIMES, LIVE_TIMES = 5, 3


async def test_a_run_shows_live_and_its_waveform_is_shaded_at_the_right_samples(
    lab: tuple[Stage, str], browser: Browser
) -> None:
    stage, address = lab
    async with watched(browser) as seen:
        page = seen.page
        await page.goto(address)
        await expect(page.locator("#live")).to_have_attribute("data-state", "on")
        await expect(page.locator("#view")).to_contain_text("No run yet")
        await seen.shoot("bench-empty")
        await stage.request("r1")
        await expect(page.locator("[data-live-run=r1]")).to_be_visible()
        await stage.state("r1", "armed")
        await expect(page.locator("ol.steps li.now")).to_have_text("armed")
        await expect(page.locator("tr[data-run=r1] .badge")).to_have_text("armed")
        await expect(page.locator("#hand")).to_contain_text("alexnet, batch 4")
        await seen.shoot("bench-live")
        await stage.say("started", "r1", started_utc_ns=1)
        await stage.marker.play(BATCHES)
        await stage.finish("r1", BATCHES)
        await stage.result("r1")
        await expect(page.locator("tr[data-run=r1] .badge")).to_have_text("valid")
        await page.click("tr[data-run=r1] a")
        await page.wait_for_selector("[data-drawn-ms]")
        await seen.shoot("run-light")
        await _right_samples(page, stage)
        await _keys(page, stage)
        assert seen.problems == []
        assert {urlsplit(url).netloc for url in seen.asked} == {urlsplit(address).netloc}


async def _right_samples(page: Page, stage: Stage) -> None:
    """Look at each edge between two samples, in the whole record and zoomed to a few of them."""
    capture = stage.daemon.files.read("r1-0.parquet")
    levels, base = capture.marker_levels(), capture.time_base
    assert levels is not None
    assert await page.evaluate("() => document.querySelector('.plot').chart.data[0].length") == 100_000
    rises = [int(one) for one in (levels[1:] & ~levels[:-1]).nonzero()[0]]  # seen apart from what the page uses
    falls = [int(one) for one in (~levels[1:] & levels[:-1]).nonzero()[0]]
    assert len(rises) == len(falls) == len(BATCHES)
    middles = [base.time_s((rise + fall) / 2) for rise, fall in zip(rises, falls, strict=True)]
    assert await shaded(page, [*middles, base.time_s(levels.size - 99)], (base.origin_s, base.end_s)) == [True] * 8 + [
        False
    ]
    for index, is_high_after in [(rises[3], True), (falls[3], False), (falls[-1], False)]:
        view = (base.time_s(index - 10), base.time_s(index + 11))
        around = [base.time_s(index - 0.2), base.time_s(index + 1.2)]
        assert await shaded(page, around, view) == [not is_high_after, is_high_after], index


async def _keys(page: Page, stage: Stage) -> None:
    base = stage.daemon.files.read("r1-0.parquet").time_base
    await page.focus(".plot")
    await page.keyboard.press("0")
    await page.keyboard.press("+")
    low, high = await view_of(page)
    assert high - low == pytest.approx(base.duration_s / 2, rel=1e-4)
    await page.keyboard.press("ArrowRight")
    assert (await view_of(page))[0] == pytest.approx(low + (high - low) / 5)
    await page.keyboard.press("Home")
    assert (await view_of(page))[0] == pytest.approx(base.origin_s)
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("c")
    await expect(page.locator("h1")).to_have_text("Calibration")
    await page.keyboard.press("/")
    await expect(page.locator("h1")).to_have_text("Runs")


async def test_a_live_run_shows_within_a_second_and_a_waveform_is_drawn_within_a_third(
    lab: tuple[Stage, str], browser: Browser
) -> None:
    stage, address = lab
    async with watched(browser) as seen:
        await seen.page.goto(address)
        await expect(seen.page.locator("#live")).to_have_attribute("data-state", "on")
        slower, shown_s, drawn_ms = [slowdown()], [], []
        for number in range(LIVE_TIMES):
            shown_s.append(await _shown_s(stage, seen.page, f"r{number}"))
            slower.append(slowdown())
        assert median(shown_s) < LIVE_S * median(slower), (shown_s, slower)
        slower = slower[-1:]
        for _ in range(DRAWN_TIMES):
            await seen.page.goto("about:blank")
            await seen.page.goto(address)
            await seen.page.wait_for_selector("tr[data-run] a")
            drawn_ms.append(float(await seen.page.evaluate(DRAWN)))
            assert await seen.page.evaluate("() => document.querySelector('.plot').chart.data[0].length") == 100_000
            slower.append(slowdown())
        assert median(drawn_ms) < DRAWN_MS * median(slower), (drawn_ms, slower)
        assert seen.problems == []


async def _shown_s(stage: Stage, page: Page, run_id: str) -> float:
    appears = asyncio.create_task(page.evaluate(APPEARS, run_id))
    await page.evaluate("() => 1")  # the browser takes its orders in turn: it looks out by now
    began_s = time.time()
    await stage.run(run_id, BATCHES)
    return float(await appears) / 1e3 - began_s


async def test_a_campaign_is_followed_by_its_journal_alone(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    folder = stage.configuration.storage.directory
    begin_campaign(folder)
    async with watched(browser) as seen:
        await seen.page.goto(address)
        await expect(seen.page.locator("#live")).to_have_attribute("data-state", "on")
        await expect(seen.page.locator("#view")).to_contain_text("1 of 5 runs are done, 1 in hand; about")
        with Journal(folder / f"night{SUFFIX}") as journal:
            failed = {"verdict": "failed", "state": "failed", "quality": None, "reasons": []}
            journal.append("ended", index=1, run_id="n1", duration_s=30.0, **failed)
        await expect(seen.page.locator("#view")).to_contain_text("1 of 5 runs are done, 1 failed or were refused")
        assert seen.problems == []


async def test_what_is_to_be_kept_can_be_fetched(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    await stage.run("r1", BATCHES)
    async with watched(browser) as seen:
        await drawn(seen.page, address, "r1")
        names = []
        for link in await seen.page.locator(".downloads a").all():
            async with seen.page.expect_download() as coming:
                await link.click()
            kept = await coming.value
            names.append(kept.suggested_filename)
            assert (await kept.path()).stat().st_size > 1000
        assert names == ["r1-result.json", "r1-0.parquet", "r1-0.csv", "r1-0.npz", "r1-0.raw.zip"]
        assert seen.problems == []
