"""Waveforms on the page: windows of every rung, power, holes, several captures, long records, fingers."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from playwright.async_api import Browser, Page, expect

from daemon.imports.draft import draft_of
from daemon.imports.source_file import SourceFile
from daemon.imports.stated_accuracy import StatedAccuracy
from daemon.imports.stored_import import RunNames, store_import
from instruments.recordings.choice import Choice
from instruments.recordings.formats import Format, read_file
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from metrology.capture import Capture
from metrology.timebase import TimeBase
from tests.chromium import Watched, watched
from tests.integration.bench_stage import Stage
from tests.integration.page_stage import ZOOM, bench, browser, drawn, lab, needs_chromium, shaded, view_of
from tests.integration.test_clock_rung import performed
from tests.mosquitto import MosquittoBroker
from tests.page_lab import BATCHES, page_lab
from tests.unit.daemon.example_capture import example_capture
from tests.unit.daemon.stored_runs import add_run
from tests.unit.daemon.web.test_waveform import parts_of
from tests.unit.recordings.instrument_files import write_ppk2

__all__ = ["bench", "browser", "lab"]
pytestmark = needs_chromium
MARKS = "() => document.querySelector('.plot').chart.axes.map((one) => [one._splits, one._values])"
SUPPLY = {"supply": {"loaded_voltage_v": 12.0}}


def keep(stage: Stage, run_id: str, *captures: Capture, extra: dict[str, Any] | None = None) -> None:
    """Enter a finished run with captures of its own."""
    add_run(stage.daemon.store, run_id)
    for index, capture in enumerate(captures):
        reference = stage.daemon.files.write(f"{run_id}-{index}", capture, SUPPLY if extra is None else extra)
        stage.daemon.store.add_capture(run_id, index, reference)


def long_capture(count: int) -> Capture:
    """Return a record of many samples with one spike, at one quarter of it, and without a marker."""
    capture = example_capture(np.random.default_rng(5), count=count, voltage=False, marker=False)
    counts = np.full(count, 30_000, dtype=np.uint16)
    counts[count // 4] = 60_000
    return replace(
        capture,
        time_base=TimeBase(origin_s=0.0, interval_s=1e-5, sample_count=count),
        current=replace(capture.current, counts=counts),
    )


@pytest.mark.parametrize("rung", ["clock", "step"])
async def test_windows_that_no_marker_placed_are_drawn_where_the_batches_were(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, browser: Browser, rung: str
) -> None:
    """The marker is wired and not offered: the result does without it, and it tells the test the truth."""
    with SimulatedBenchThread(WorldSettings(seed=6)) as bench:
        async with page_lab(bench, mosquitto_broker.port, tmp_path) as (stage, address):
            outcome, _ = await performed(stage, mosquitto_broker.port, sync=(rung,), script="0.12,0.005,10")
            assert outcome.result is not None
            assert outcome.result.sync == rung
            run_id = outcome.result.run_id
            capture = stage.daemon.files.read(f"{run_id}-0.parquet")
            async with watched(browser) as seen:
                await drawn(seen.page, address, run_id)
                await expect(seen.page.locator(".legend")).to_contain_text(f"10 whole batches, placed by {rung}")
                await _follow_the_truth(seen.page, address, run_id, capture)
                await seen.shoot(f"run-by-{rung}")
                assert seen.problems == []


async def _follow_the_truth(page: Page, address: str, run_id: str, capture: Capture) -> None:
    """Each window lies where the marker was high, within what is said of its edges, and is shaded where it lies."""
    levels, base = capture.marker_levels(), capture.time_base
    assert levels is not None
    rises = [base.time_s(int(one) + 0.5) for one in (levels[1:] & ~levels[:-1]).nonzero()[0]]
    falls = [base.time_s(int(one) + 0.5) for one in (~levels[1:] & levels[:-1]).nonzero()[0]]
    async with httpx.AsyncClient() as client:
        head, _, _ = parts_of((await client.get(f"{address}api/v1/runs/{run_id}/captures/0/waveform")).content)
    off_s = head["edge_half_width_s"] + base.interval_s
    for (start, end), rise, fall in zip(head["pulses_s"], rises, falls, strict=True):
        assert (start, end) == (pytest.approx(rise, abs=off_s), pytest.approx(fall, abs=off_s))
        assert (start, end) != (rise, fall), "the marker's own edges are not the result's"
        sample_s = base.interval_s
        for edge, expected in ((start, [False, True]), (end, [True, False])):
            around = [edge - 0.7 * sample_s, edge + 0.7 * sample_s]
            assert await shaded(page, around, (edge - 10 * sample_s, edge + 10 * sample_s)) == expected


async def test_power_stands_alone_or_below_the_current(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    await stage.run("r1", BATCHES)
    async with watched(browser, dark=True) as seen:
        page = seen.page
        await drawn(page, address, "r1")
        await page.click("[data-which=power]")
        await expect(page.locator(".legend")).to_contain_text("mean power of the result")
        await expect(page.locator(".inview")).to_contain_text("energy")
        await seen.shoot("run-power")
        await page.click("text=First batches")
        view = await view_of(page)
        await page.click("[data-which=both]")
        assert await view_of(page) == pytest.approx(view), "another curve is shown of the same stretch"
        ranges = await page.evaluate("""() => {
          const { data, scales } = document.querySelector('.plot').chart;
          const place = (value, { min, max }) => (value - min) / (max - min);
          return [place(Math.min(...data[1]), scales.A), place(Math.max(...data[2]), scales.W)];
        }""")
        assert ranges[0] > ranges[1], "neither covers the other"
        await seen.shoot("run-both")
        assert seen.problems == []


async def test_what_is_in_view_is_told_as_numbers(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    keep(stage, "spike", long_capture(1000))
    async with watched(browser) as seen:
        await drawn(seen.page, address, "spike")
        await expect(seen.page.locator(".inview")).to_contain_text("9.990 ms, 1,000 samples")
        capture = stage.daemon.files.read("spike-0.parquet")
        mean_ma = 1e3 * float(capture.current.values.mean())
        await expect(seen.page.locator(".inview")).to_contain_text(f"mean {mean_ma:.1f} mA")
        assert seen.problems == []


async def test_marks_of_the_axes_differ_however_far_it_is_zoomed(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    keep(stage, "spike", long_capture(1000))
    async with watched(browser) as seen:
        await drawn(seen.page, address, "spike")
        for width_s in (1e-2, 5e-3, 1e-3, 2e-4, 4e-5):
            await seen.page.evaluate(ZOOM, [4e-3, 4e-3 + width_s])
            for places, marks in await seen.page.evaluate(MARKS):
                assert len(places) >= 2
                assert [float(mark) for mark in marks] == pytest.approx(places, rel=1e-9, abs=1e-12)


async def test_missing_samples_are_gaps_and_clipped_ones_are_told(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    keep(stage, "holes", example_capture(np.random.default_rng(1)))
    async with watched(browser) as seen:
        await drawn(seen.page, address, "holes")
        await expect(seen.page.locator("#view")).to_contain_text("1 sample is missing")
        await expect(seen.page.locator("#view")).to_contain_text("2 samples are clipped")
        assert await seen.page.evaluate("() => document.querySelector('.plot').chart.data[1][0]") is None
        await expect(seen.page.locator("#view")).to_contain_text("cannot be placed again")
        await seen.shoot("run-holes")
        assert seen.problems == []


async def test_a_run_of_several_captures_shows_each(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    keep(stage, "several", long_capture(1000), long_capture(2000), long_capture(3000))
    stage.daemon.files.path("several-0.parquet").unlink()
    async with watched(browser) as seen:
        await drawn(seen.page, address, "several")
        await expect(seen.page.locator("#view")).to_contain_text("2,000 samples")
        await seen.page.select_option("#capture", "2")
        await expect(seen.page.locator("#view")).to_contain_text("3,000 samples")
        await expect(seen.page.locator(".downloads")).to_contain_text("not kept any more")
        await seen.shoot("run-several")
        assert seen.problems == []


async def test_a_run_without_capture_or_voltage_shows_what_there_is(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    add_run(stage.daemon.store, "none", energy_j=None, quality="invalid")
    keep(stage, "bare", example_capture(np.random.default_rng(1), voltage=False, marker=False), extra={})
    async with watched(browser) as seen:
        await drawn(seen.page, address, "none")
        await expect(seen.page.locator("#view")).to_contain_text("No capture was taken.")
        await expect(seen.page.locator(".reasons.invalid")).to_contain_text("probe dead")
        await seen.shoot("run-invalid")
        await drawn(seen.page, address, "bare")
        await expect(seen.page.locator("[data-which=power]")).to_have_count(0)
        await expect(seen.page.locator("#view")).to_contain_text("no power")
        await expect(seen.page.locator("#view")).to_contain_text("no marker line was recorded")
        assert seen.problems == [], "a run without a capture is no error"


async def test_a_recording_of_another_instrument_shows_its_own_windows(
    lab: tuple[Stage, str], browser: Browser, tmp_path: Path
) -> None:
    """The file's marker is high for samples 100 to 199 and 300 to 399 at 1 kHz; the first window begins at 0 s."""
    stage, address = lab
    await asyncio.to_thread(import_ppk2, stage, write_ppk2(tmp_path), "imported")
    async with watched(browser) as seen:
        await drawn(seen.page, address, "imported")
        await expect(seen.page.locator(".legend")).to_contain_text("2 whole batches, placed by marker")
        await expect(seen.page.locator(".legend")).to_contain_text("baseline")
        await expect(seen.page.locator("#view")).to_contain_text(
            "from the ppk2 file session.ppk2 of Nordic Semiconductor PPK2"
        )
        await expect(seen.page.locator("#view")).to_contain_text("accuracy unknown")
        await expect(seen.page.locator("#view")).to_contain_text("what was said of the instrument at its import")
        await seen.shoot("run-imported")
        view_s = await view_of(seen.page)
        inside = await shaded(seen.page, [0.105, 0.15, 0.195, 0.21, 0.29, 0.305, 0.35, 0.395, 0.41], view_s)
        assert inside == [True, True, True, False, False, True, True, True, False]
        assert seen.problems == []


def import_ppk2(stage: Stage, file: Path, run_id: str) -> None:
    """Keep a recording as a run of the bench."""
    choice = Choice(supply_v=5.0, marker="D0")
    recording = read_file(file, choice, kind=Format.PPK2, images_per_window=10)
    draft = draft_of(recording, SourceFile.of(file), images_per_window=10, accuracy=StatedAccuracy())
    names = RunNames(network="resnet18", board="kit", precision="fp32", batch_size=10, run_id=run_id)
    store, files = stage.daemon.store, stage.daemon.files
    store_import(draft, names, store=store, files=files, version="0", tell=lambda _: None)


async def test_a_long_record_comes_thinned_with_its_spike_and_whole_where_it_is_zoomed(
    lab: tuple[Stage, str], browser: Browser
) -> None:
    stage, address = lab
    keep(stage, "long", long_capture(1_200_000))
    async with watched(browser) as seen:
        page = seen.page
        await drawn(page, address, "long")
        await expect(page.locator("#view")).to_contain_text("1,200,000 samples at 100.0 kSa/s: of each 10 the least")
        await expect(page.locator(".inview")).to_contain_text("zoom in for the mean")
        points, greatest = await page.evaluate("""() => {
          const [times, values] = document.querySelector('.plot').chart.data;
          return [times.length, values.reduce((one, other) => Math.max(one, other))];
        }""")
        capture = stage.daemon.files.read("long-0.parquet")
        assert points <= 250_000
        assert greatest == pytest.approx(float(capture.current.values.max())), "no extreme is lost"
        await seen.shoot("run-long")
        async with page.expect_response(lambda one: "first=" in one.url):
            await page.evaluate(
                "() => document.querySelector('.plot').chart.setScale('x', { min: 2.9999, max: 3.0001 })"
            )
        await expect(page.locator(".inview")).to_contain_text("21 samples")
        found = await page.evaluate("""() => {
          const [times, values] = document.querySelector('.plot').chart.data;
          return times[values.indexOf(Math.max(...values.filter((_, at) => times[at] > 2.9 && times[at] < 3.1)))];
        }""")
        assert found == pytest.approx(3.0, abs=1e-9), "the spike stands at its own sample"
        assert seen.problems == []


async def test_fingers_zoom_and_pan(lab: tuple[Stage, str], browser: Browser) -> None:
    stage, address = lab
    await stage.run("r1", BATCHES)
    async with watched(browser, width=390, height=800, touch=True) as seen:
        page = seen.page
        await drawn(page, address, "r1")
        await page.locator(".plot").scroll_into_view_if_needed()
        box = await page.locator(".u-over").bounding_box()
        assert box is not None
        whole = await view_of(page)
        await _fingers(seen, box, [(0.4, 0.6), (0.2, 0.8)])
        low, high = await view_of(page)
        assert high - low == pytest.approx((whole[1] - whole[0]) / 3, rel=0.02), "what is held stays under the fingers"
        await _fingers(seen, box, [(0.5,), (0.25,)])
        moved = await view_of(page)
        assert moved[0] - low == pytest.approx((high - low) / 4, rel=0.05)
        assert moved[1] - moved[0] == pytest.approx(high - low)
        await seen.shoot("phone-zoomed")
        assert seen.problems == []


async def _fingers(seen: Watched, box: Any, places: list[tuple[float, ...]]) -> None:
    """Put fingers down at the first places (parts of the width), move them to the last, and lift them."""
    devtools = await seen.page.context.new_cdp_session(seen.page)
    for kind, at in [("touchStart", places[0]), *(("touchMove", one) for one in places[1:]), ("touchEnd", ())]:
        points = [
            {"x": box["x"] + part * box["width"], "y": box["y"] + box["height"] / 2, "id": k}
            for k, part in enumerate(at)
        ]
        await devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
