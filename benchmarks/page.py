"""What the page costs and how fast it is: live run shown, waveform drawn, CPU of an idle daemon that is watched.

A simulated bench, a real mosquitto, and headless Chromium; times are taken in the page by `performance.now()`. Whether
who looks delays who measures shows in what the daemon does about a capture, by turns with nobody looking, a page that
was opened just then, one that watches, and three processes that ask for waveforms without a pause: from a request to
the armed oscilloscope, from the record's end to the capture on the disk, and from there to the result. Whoever looks
has cores of its own meanwhile, as on a computer of its own (but for the driver of the browser, which is in this
process). In the last turn a browser opens the page on the daemon's cores, and takes them from it.

    python benchmarks/page.py [--times 10] [--idle 20] [--runs 10]
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path

from playwright.async_api import Browser, Page

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.chromium import chromium, chromium_path, watched
from tests.integration.bench_stage import Stage, stage_of
from tests.integration.page_stage import APPEARS, DRAWN
from tests.mosquitto import MosquittoBroker

BATCHES = [(0.15, 0.005)] * 8
PORT = 19464
ADDRESS = f"http://127.0.0.1:{PORT}/"
CORES = sorted(os.sched_getaffinity(0))
HALF = (len(CORES) + 1) // 2
OURS, THEIRS = CORES[:HALF], CORES[HALF:] or CORES
"""Cores of who measures, and of who looks."""
SETTLED_S = 2.0
"""So long after it was opened, a page only watches."""
BETWEEN_S = 0.5
"""Pause between two turns, in which what one has left is done."""


async def main(times: int, idle_s: float, runs: int) -> None:
    """Measure, then print."""
    if chromium_path() is None:
        print("no Chromium here: apt-get install chromium")
        return
    with tempfile.TemporaryDirectory() as name:
        broker = MosquittoBroker(Path(name))
        with _begun_on(OURS):
            broker.start()
        try:
            with SimulatedBenchThread(WorldSettings(seed=1, time_scale=1.0)) as bench:
                async with (
                    stage_of(bench, broker.port, Path(name) / "data", http={"port": PORT}) as stage,
                    chromium() as browser,
                ):
                    await _all(stage, browser, times, idle_s, runs)
        finally:
            broker.stop()


async def _all(stage: Stage, browser: Browser, times: int, idle_s: float, runs: int) -> None:
    alone = await _cpu_percent(idle_s)
    async with watched(browser) as seen:
        await seen.page.goto(ADDRESS)
        watched_percent = await _cpu_percent(idle_s)
        live_ms = [await _live_ms(stage, seen.page, f"live-{number}") for number in range(3)]
        drawn_ms = []
        for _ in range(times):
            await seen.page.goto("about:blank")
            await seen.page.goto(ADDRESS)
            await seen.page.wait_for_selector("tr[data-run] a")
            drawn_ms.append(float(await seen.page.evaluate(DRAWN)))
    print(f"idle daemon and simulated bench, nobody watches: {alone:5.2f} % of a core over {idle_s:g} s")
    print(f"the same while a page watches:                   {watched_percent:5.2f} %   (target 2 %)")
    _row("live run shown after its request, 1 s", live_ms)
    _row("100,000 points drawn after the click, 300 ms", drawn_ms)
    stages = await _stages_of_all(stage, browser, runs)
    for what in next(iter(stages.values()))[0]:
        print(what)
        for who, found in stages.items():
            _row(f"  {who}", [one[what] for one in found])


async def _stages_of_all(stage: Stage, browser: Browser, runs: int) -> dict[str, list[dict[str, float]]]:
    """Return the stages of some runs beside each who may look, by turns."""
    if OURS == THEIRS:
        print("one core alone: whoever looks takes it from who measures")
    async with AsyncExitStack() as opened:
        with _begun_on(THEIRS):
            elsewhere = await opened.enter_async_context(chromium())
        beside: dict[str, tuple[list[int], Callable[[], AbstractAsyncContextManager[None]]]] = {
            "nobody looks": (OURS, nullcontext),
            "a page opened just then": (OURS, lambda: _opened(elsewhere)),
            "a page that watches": (OURS, lambda: _opened(elsewhere, SETTLED_S)),
            "waveforms read without a pause": (OURS, _hammering),
            "nobody looks, all cores": (CORES, nullcontext),
            "a page opened on the daemon's cores": (CORES, lambda: _opened(browser)),
        }
        found: dict[str, list[dict[str, float]]] = {who: [] for who in beside}
        for number in range(runs):
            for turn, (who, (cores, looking)) in enumerate(beside.items()):
                await asyncio.sleep(BETWEEN_S)
                _move_to(cores)
                async with looking():
                    _move_to(cores)  # threads that were begun while who looks was, too
                    found[who].append(await _stages_ms(stage, f"turn-{number}-{turn}"))
        _move_to(CORES)
        return found


@asynccontextmanager
async def _opened(browser: Browser, settled_s: float = 0.0) -> AsyncIterator[None]:
    async with watched(browser) as seen:
        await seen.page.goto(ADDRESS)
        await seen.page.wait_for_selector("tr[data-run] a")
        await asyncio.sleep(settled_s)
        yield


@contextmanager
def _begun_on(cores: list[int]) -> Iterator[None]:
    """Have programs that are begun meanwhile run on some cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _move_to(cores: list[int]) -> None:
    """Run all that is in this process, daemon, board and simulated bench, on some cores."""
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it ended meanwhile
            os.sched_setaffinity(int(thread.name), cores)


async def _cpu_percent(seconds: float) -> float:
    """Return the CPU time of this process, daemon and simulated bench, while nothing is measured."""
    await asyncio.sleep(1.0)
    cpu_s, began_s = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    return 100 * (time.process_time() - cpu_s) / (time.monotonic() - began_s)


async def _live_ms(stage: Stage, page: Page, run_id: str) -> float:
    appears = asyncio.create_task(page.evaluate(APPEARS, run_id))
    await asyncio.sleep(0.2)
    began_ms = time.time() * 1e3
    run = asyncio.create_task(stage.run(run_id, BATCHES))
    shown_ms = float(await appears) - began_ms
    await run
    return shown_ms


async def _stages_ms(stage: Stage, run_id: str) -> dict[str, float]:
    """Return how long the daemon took for each stage of a run, by its own journal and by the result's arrival."""
    await stage.run(run_id, BATCHES)
    entries = {one.event: one for one in stage.daemon.store.journal(run_id)}
    complete_ns = float(entries["captured"].detail["complete_monotonic_ns"])
    # the journal tells wall time: here, both clocks are of one computer
    wall_ns = time.time_ns() - time.monotonic_ns()
    return {
        "request to armed": (entries["armed"].at_utc_ns - entries["request"].at_utc_ns) / 1e6,
        "record complete to capture kept": (entries["captured"].at_utc_ns - wall_ns - complete_ns) / 1e6,
        "record complete to result": (stage.result_arrived_ns[run_id] - complete_ns) / 1e6,
    }


HAMMER = """
import sys, httpx
while True:
    httpx.get(sys.argv[1] + "api/v1/runs/live-%d/captures/0/waveform" % int(sys.argv[2]), timeout=60).raise_for_status()
"""


@asynccontextmanager
async def _hammering() -> AsyncIterator[None]:
    """Have three processes ask for waveforms without a pause, of three captures in turn."""
    with _begun_on(THEIRS):
        programs = [
            await asyncio.create_subprocess_exec(sys.executable, "-c", HAMMER, ADDRESS, str(n)) for n in range(3)
        ]
    await asyncio.sleep(1.0)
    try:
        yield
    finally:
        for one in programs:
            one.kill()
            await one.wait()


def _row(what: str, values_ms: list[float]) -> None:
    print(f"{what:<50} median {statistics.median(values_ms):7.1f} ms, largest {max(values_ms):7.1f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--idle", type=float, default=20.0)
    parser.add_argument("--runs", type=int, default=10)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.times, arguments.idle, arguments.runs))
