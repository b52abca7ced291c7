"""Every view in light and dark, wide and on a phone: readable, named, and whole with odd contents."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from calibration.store import CertificateStore
from daemon.store import Store
from instruments.simulated.bench import SimulatedBenchThread
from tests.chromium import watched
from tests.integration.bench_stage import Stage
from tests.integration.page_stage import bench, browser, lab, needs_chromium
from tests.mosquitto import MosquittoBroker
from tests.page_audit import faint_texts, nameless, sideways
from tests.page_lab import BATCHES, begin_campaign, calibrate, page_lab
from tests.unit.calibration.example_certificate import certificate
from tests.unit.daemon.stored_runs import add_run
from tests.unit.daemon.test_accuracy import zero

__all__ = ["bench", "browser", "lab"]
pytestmark = needs_chromium
LONG = "a-run-whose-name-is-as-long-as-the-contract-lets-it-0123"
VIEWS = {
    "#/": [
        "free in …/data/captures;",
        "…/data/joulebench.sqlite takes entries",
        "Campaign night",
        "1 of 5 runs are done, 1 in hand",
        "345 ± 43 mJ",
        "Simulated bench: its instruments are computed",
    ],
    "#/runs": ["invalid", "probe dead", "rejected", LONG],
    "#/runs/r1": ["Uncertainty budget", "CSV", "Simulated bench: no real board was measured."],
    f"#/runs/{LONG}": ["Why it is degraded"],
    "#/runs/bad": ["Why it is invalid"],
    "#/runs/refused": ["it is not known here"],
    "#/compare/r1/r2": [
        "The difference is significant",
        "costs",
        "Gross energy, 1 − 2:",
        "not told for net energy",
        "Simulated bench:",
    ],
    "#/compare/r1/bad": ["Simulated bench: r1 measured no real board.", "cannot be compared", "nothing to lay over"],
    "#/calibration": ["gain-of-long-ago", "expired", "zero-1"],
    "#/calibration/zero-1": ["zero-1", "gain-damaged", "unreadable", "No run is measured with certificates"],
    "#/runs/nowhere": ["there is no run nowhere"],
}
"""Views, and what each must say."""
LOOKS = [("light", 1280, False), ("dark", 1280, True), ("phone", 390, False), ("phone-dark", 390, True)]


async def furnish(stage: Stage) -> None:
    """Leave good runs, odd ones, certificates and a campaign."""
    begin_campaign(stage.configuration.storage.directory)
    await stage.run("r1", BATCHES)
    await stage.run("r2", [(0.1, 0.02)] * 12)
    store = stage.daemon.store
    add_run(
        store, LONG, network="inception_v4", quality="degraded", board="a-board-with-a-name-without-an-end-0123456789"
    )
    add_run(store, "bad", energy_j=None, quality="invalid")
    store.create_run(
        run_id="refused", board="b", network="vgg16", batch_size=1, precision="fp32", images_planned=None, captures=1
    )
    text = f"network '{'x' * 120}' it is not known here; correct its name"
    store.record("refused", event="rejected", state="rejected", reason="unknown_network", text=text)
    for one in (certificate("gain-of-long-ago"), zero("zero-1")):
        CertificateStore(stage.configuration.calibration.directory).add(one)


def damage(stage: Stage) -> None:
    """Leave a certificate of which no more than the beginning was written."""
    path = CertificateStore(stage.configuration.calibration.directory).add(certificate("gain-damaged"))
    path.write_text(path.read_text()[:200])


@pytest.mark.long
@pytest.mark.parametrize(("name", "width", "dark"), LOOKS)
async def test_every_view_is_readable(
    lab: tuple[Stage, str], browser: Browser, name: str, width: int, dark: bool
) -> None:
    stage, address = lab
    await furnish(stage)
    damage(stage)
    async with watched(browser, width=width, dark=dark) as seen:
        for path, texts in VIEWS.items():
            await seen.page.goto(address + path)
            for text in texts:
                await expect(seen.page.locator("#view")).to_contain_text(text)
            if path in ("#/runs/r1", "#/compare/r1/r2"):
                await seen.page.wait_for_selector(".plot canvas")
                await expect(seen.page.locator(".inview dd").first).to_be_visible()
            for row in await seen.page.locator("table.pairs tbody tr").all():
                assert all(await row.locator("td").all_text_contents()), "no cell is left empty"
            await seen.shoot(f"{name}-{path.strip('#/').replace('/', '-') or 'bench'}")
            assert await sideways(seen.page) == [], path
            assert await faint_texts(seen.page) == [], path
            assert await nameless(seen.page) == [], path
        await seen.page.keyboard.press("?")
        assert await faint_texts(seen.page) == []
        await seen.shoot(f"{name}-keys")
        unknown = [one for one in seen.problems if "404" not in one]
        assert unknown == [], "a run that nobody knows is the only thing that is not found"
        assert len(seen.problems) == 1


async def test_focus_is_seen_on_everything_that_takes_it(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    await stage.run("r1", BATCHES)
    async with watched(browser) as seen:
        await seen.page.goto(f"{address}#/runs/r1")
        await seen.page.wait_for_selector("[data-drawn-ms]")
        reached = []
        for _ in range(25):
            await seen.page.keyboard.press("Tab")
            name, width, style = await seen.page.evaluate("""() => {
              const one = document.activeElement, shown = getComputedStyle(one);
              if (one === document.body) return ['BODY', '', ''];
              const name = one.textContent.trim() || one.getAttribute('aria-label') || one.tagName;
              return [name, shown.outlineWidth, shown.outlineStyle];
            }""")
            reached.append(name)
            assert name == "BODY" or (width != "0px" and style != "none"), name
        for wanted in ("Bench", "Runs", "Power", "Whole record", "Waveform of current. Arrow keys", "CSV"):
            assert any(one.startswith(wanted) for one in reached), (wanted, reached)


async def test_hundreds_of_runs_are_shown_some_at_a_time_and_found(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    for number in range(230):
        add_run(stage.daemon.store, f"run-{number:03}", network="vgg16" if number % 2 else "alexnet")
    async with watched(browser) as seen:
        rows = seen.page.locator("tr[data-run]")
        await seen.page.goto(f"{address}#/runs")
        await expect(rows).to_have_count(100)
        await expect(rows.first).to_contain_text("run-229")
        await seen.page.click("text=Show older ones")
        await expect(rows).to_have_count(200)
        await seen.page.click("text=Show older ones")
        await expect(rows).to_have_count(230)
        await expect(seen.page.locator("text=Show older ones")).to_be_hidden()
        await seen.page.fill("#filter", "vgg16 run-22")
        await expect(rows).to_have_count(5)
        await seen.page.check("[aria-label='Pick run-221']")
        await seen.page.fill("#filter", "run-1")
        await seen.page.check("[aria-label='Pick run-100']")
        await seen.page.fill("#filter", "nothing of that kind")
        await expect(seen.page.locator("#view")).to_contain_text("None of the runs")
        await seen.page.click("text=Compare the two picked")
        await expect(seen.page.locator("#view")).to_contain_text("No significant difference")
        assert seen.problems == []


async def test_runs_of_other_benches_take_no_place_here(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    add_run(stage.daemon.store, "ours")
    with Store(stage.configuration.storage.url, bench="another") as other:
        for number in range(30):
            add_run(other, f"theirs-{number}")
    async with watched(browser) as seen:
        await seen.page.goto(address)
        await expect(seen.page.locator("tr[data-run]")).to_have_count(1)
        await expect(seen.page.locator("tr[data-run]")).to_contain_text("ours")


@pytest.mark.long
async def test_certificates_show_their_fits(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path, browser: Browser
) -> None:
    await calibrate(bench, tmp_path)
    async with page_lab(bench, mosquitto_broker.port, tmp_path) as (_, address), watched(browser, dark=True) as seen:
        await seen.page.goto(f"{address}#/calibration")
        pictures = seen.page.locator(".certificate img")
        await expect(pictures).to_have_count(3)  # a zero is no fit
        await seen.page.wait_for_function(
            "() => [...document.querySelectorAll('.certificate img')].every((one) => one.naturalWidth > 200)"
        )
        await seen.shoot("certificates-dark")
        assert await faint_texts(seen.page) == []
        assert seen.problems == []
