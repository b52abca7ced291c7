"""Control over the page with a token, and a daemon that goes and comes back while somebody looks."""

from pathlib import Path

from playwright.async_api import Browser, expect

from daemon.web.event_feed import encoded
from instruments.simulated.bench import SimulatedBenchThread
from tests.chromium import watched
from tests.integration.bench_stage import Stage
from tests.integration.page_stage import bench, browser, lab, needs_chromium
from tests.mosquitto import MosquittoBroker
from tests.page_lab import BATCHES, free_port, page_lab

__all__ = ["bench", "browser", "lab"]
pytestmark = needs_chromium
TOKEN = "a-token-of-the-tests-0123456789"


async def test_without_a_token_the_page_only_looks(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    async with watched(browser) as seen:
        await seen.page.goto(address)
        await stage.request("r1")
        await expect(seen.page.locator("[data-live-run=r1]")).to_be_visible()
        await expect(seen.page.locator("#hand")).to_contain_text("alexnet")
        await expect(seen.page.locator(".abort")).to_have_count(0)
        assert seen.problems == []


async def test_who_has_the_token_ends_the_run(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, browser: Browser
) -> None:
    secret = tmp_path / "token"
    secret.write_text(TOKEN)
    secret.chmod(0o600)
    http = {"token_file": secret}
    async with (
        page_lab(bench, mosquitto_broker.port, tmp_path / "data", http=http) as (stage, address),
        watched(browser) as seen,
    ):
        page = seen.page
        await page.goto(address)
        await stage.request("r1")
        await stage.state("r1", "armed")
        await page.click("text=End this run")
        await page.fill("#token", "not-the-token-0123456789")
        await page.fill("#why", "the fan fell off")
        await stage.say("started", "r1", started_utc_ns=1)  # a step comes while somebody types
        await expect(page.locator("#token")).to_have_value("not-the-token-0123456789")
        await page.press("#token", "Enter")
        await expect(page.locator(".abort [role=status]")).to_contain_text("not the daemon's token")
        assert stage.daemon.store.run("r1").state.value == "armed"  # type: ignore[union-attr]
        await page.fill("#token", TOKEN)
        await seen.shoot("bench-abort")
        await page.click("text=End run")
        ended = await stage.state("r1", "failed", "interrupted")
        assert "the fan fell off" in ended["text"]
        await expect(page.locator("tr[data-run=r1] .badge")).to_have_text(ended["state"])
        await expect(page.locator("#hand")).to_contain_text("the fan fell off")
        await expect(page.locator(".abort")).to_have_count(0)
        await seen.shoot("bench-aborted")
        kept = await page.evaluate(
            "() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"
        )
        assert TOKEN not in kept
        assert [one for one in seen.problems if "401" not in one] == []


async def test_a_daemon_that_goes_is_told_and_one_that_comes_back_is_read_anew(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, browser: Browser
) -> None:
    port = free_port()
    async with watched(browser) as seen:
        page = seen.page
        async with page_lab(bench, mosquitto_broker.port, tmp_path, port=port) as (stage, address):
            await stage.run("r1", BATCHES)
            await page.goto(address)
            await expect(page.locator("tr[data-run]")).to_have_count(1)
            await expect(page.locator("#notice")).to_be_hidden()
        await expect(page.locator("#live")).to_have_attribute("data-state", "off")
        await expect(page.locator("#notice")).to_contain_text("The daemon has not answered since")
        await expect(page.locator("tr[data-run]")).to_have_count(1)
        await seen.shoot("bench-lost")
        await page.click("nav >> text=Calibration")
        await expect(page.locator("#view")).to_contain_text("The daemon does not answer. Is it running?")
        await page.click("nav >> text=Bench")
        await expect(page.locator("#view")).to_contain_text("The daemon does not answer. Is it running?")
        async with page_lab(bench, mosquitto_broker.port, tmp_path, port=port) as (stage, _):
            await expect(page.locator("#live")).to_have_attribute("data-state", "on")
            await expect(page.locator("#notice")).to_be_hidden()
            await expect(page.locator("tr[data-run]")).to_have_count(1)
            await stage.run("r2", BATCHES)
            await expect(page.locator("tr[data-run=r2] .badge")).to_have_text("valid")
        strange = [one for one in seen.problems if "ERR_CONNECTION_REFUSED" not in one and "ERR_INCOMPLETE" not in one]
        assert strange == []


async def test_an_upgraded_daemon_and_dropped_events_are_told(lab: tuple[Stage, str], browser: Browser) -> None:
    _, address = lab
    async with watched(browser) as seen:
        bench = await (await seen.page.request.get(f"{address}api/v1/bench")).json()
        body = encoded("dropped", {"count": 7}) + encoded("bench", bench) + encoded("bench", bench | {"version": "9.9"})
        stream = {"content_type": "text/event-stream", "body": body}
        await seen.page.route("**/api/v1/events", lambda route: route.fulfill(**stream))
        told: list[str] = []
        await seen.page.expose_function("told", lambda text: told.append(text))  # noqa: PLW0108 - a built-in one is not taken
        await seen.page.add_init_script("""addEventListener('DOMContentLoaded', () => {
          const places = ['live', 'notice'].map((id) => document.getElementById(id));
          const look = new MutationObserver(() => told(places.map((one) => one.textContent).join(' ')));
          for (const one of places) look.observe(one, { childList: true });
        })""")
        await seen.page.goto(address)
        await expect(seen.page.locator("#live")).to_have_text("not connected")  # such a stream ends at once
        assert any("7 events were dropped" in one for one in told), told
        assert any("The daemon is now version 9.9" in one and "load it again" in one for one in told), told
