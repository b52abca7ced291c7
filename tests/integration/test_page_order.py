"""Answers that come late: what was asked for last is shown, however the daemon's answers overtake one another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Page, Route, expect

from tests.chromium import Watched, watched
from tests.integration.bench_stage import Stage
from tests.integration.page_stage import bench, browser, drawn, lab, needs_chromium
from tests.integration.test_page_waveforms import keep, long_capture
from tests.page_lab import BATCHES
from tests.unit.daemon.stored_runs import add_run

__all__ = ["bench", "browser", "lab"]
pytestmark = needs_chromium
# An answer is counted once everything that waited for it has gone on: a task comes after all that is awaited.
COUNT = """() => {
  window.used = 0;
  for (const name of ['json', 'arrayBuffer']) {
    const read = Response.prototype[name];
    Response.prototype[name] = async function () {
      const content = await read.call(this);
      setTimeout(() => { window.used += 1; });
      return content;
    };
  }
}"""
AGAIN = "() => { dispatchEvent(new Event('hashchange')); }"


@asynccontextmanager
async def run_shown(lab: tuple[Stage, str], browser: Browser) -> AsyncIterator[Watched]:
    """Yield a page that shows the run `r1`, and counts the answers that were used."""
    stage, address = lab
    keep(stage, "r1", long_capture(1000))
    async with watched(browser) as seen:
        await seen.page.add_init_script(f"({COUNT})()")
        await drawn(seen.page, address, "r1")
        yield seen


@dataclass
class Held:
    """Answers to one question; the first is as it was when it was asked, and is given when the test says so."""

    page: Page
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0

    async def __call__(self, route: Route) -> None:
        self.count += 1
        is_first = self.count == 1
        answer = await route.fetch()
        if is_first:
            self.asked.set()
            await self.free.wait()
        await route.fulfill(response=answer)

    async def give(self) -> None:
        """Give the first answer, and wait until the page has done with it whatever it does."""
        used = await self.page.evaluate("() => window.used")
        self.free.set()
        await self.page.wait_for_function("(used) => window.used > used", arg=used)


async def held(page: Page, pattern: str) -> Held:
    """Hold the first answer to whatever the page asks at some addresses."""
    found = Held(page)
    await page.route(pattern, found)
    return found


async def headings(page: Page) -> list[str]:
    return list(await page.locator("#view h2").all_text_contents())


async def test_a_view_that_was_left_before_it_came_does_not_come(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    add_run(stage.daemon.store, "slow")
    async with watched(browser) as seen:
        page = seen.page
        await page.add_init_script(f"({COUNT})()")
        late = await held(page, "**/api/v1/runs/slow")
        await page.goto(address)
        await expect(page.locator("tr[data-run=slow]")).to_be_visible()
        await page.evaluate("() => { location.hash = '#/runs/slow'; }")
        await late.asked.wait()
        await page.click("nav >> text=Calibration")
        await expect(page.locator("h1")).to_have_text("Calibration")
        await late.give()
        assert await page.locator("h1").text_content() == "Calibration"
        assert seen.problems == []


async def test_a_run_that_is_read_again_and_again_shows_each_card_once(
    lab: tuple[Stage, str], browser: Browser
) -> None:
    async with run_shown(lab, browser) as seen:
        page = seen.page
        once = await headings(page)
        assert len(set(once)) == len(once) > 4
        late = await held(page, "**/captures/0/waveform")
        await page.evaluate(AGAIN)
        await late.asked.wait()
        async with page.expect_response("**/captures/0/waveform"):
            await page.evaluate(AGAIN)
        await expect(page.locator("[data-drawn-ms]")).to_have_count(1)
        await late.give()
        assert await headings(page) == once
        assert await page.locator(".plot canvas").count() == 1
        assert seen.problems == []


async def test_a_run_that_is_read_again_stays_in_sight_until_it_was(lab: tuple[Stage, str], browser: Browser) -> None:
    async with run_shown(lab, browser) as seen:
        page = seen.page
        late = await held(page, "**/api/v1/runs/r1")
        await page.evaluate(AGAIN)
        await late.asked.wait()
        assert await page.locator(".plot canvas").count() == 1
        await late.give()
        await expect(page.locator("[data-drawn-ms]")).to_have_count(1)
        assert seen.problems == []


async def test_an_older_list_of_runs_does_not_overwrite_a_newer_one(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    async with watched(browser) as seen:
        page = seen.page
        await page.add_init_script(f"({COUNT})()")
        await page.goto(address)
        await expect(page.locator("#view")).to_contain_text("No run yet")
        late = await held(page, "**/api/v1/runs?limit=20")
        await stage.request("r1")
        await late.asked.wait()
        await stage.state("r1", "armed")
        await stage.say("started", "r1", started_utc_ns=1)
        await stage.marker.play(BATCHES)
        await stage.finish("r1", BATCHES)
        await stage.result("r1")
        badge = page.locator("tr[data-run=r1] .badge")
        await expect(badge).to_have_text("valid")
        await late.give()
        assert await badge.text_content() == "valid"
        assert seen.problems == []
