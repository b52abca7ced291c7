"""What nobody should send, at the daemon's ears: no defect, only declared reasons, and a valid run afterwards.

In process, at the function that the broker's connection calls; a smaller part goes through a real broker.
"""

import asyncio
import json
import logging
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.application import Application
from daemon.conductor import MOST_BOARDS
from daemon.refusals import KEPT_REFUSALS
from daemon.tables import journal, runs
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.messages import RunPhase, RunResult
from runners.topics import Topics
from tests.contract.fuzz_watch import Watch
from tests.contract.fuzzed_daemon import WAIT_S, Defects, FuzzLink, fuzzed_daemon, state_of, watched
from tests.contract.mqtt_mutation import MqttMaker
from tests.integration.bench_stage import BENCH, BOARD, Marker
from tests.long_cases import long_cases

MESSAGES = 100_000
SHARES, SHARE = 10, 10_000
"""In parts, each with a daemon and a seed of its own, so that they can run beside each other."""
BATCH = 200
"""Messages between two looks at the daemon; fewer than its inbox takes."""
RUN_EVERY = 10
"""Batches between two runs that the bench is really asked for."""
PULSES = [(0.15, 0.005)] * 8
LONGEST_LOG_LINE = 20_000
"""Longest line that one message may write into the log, in characters."""
TIME_SCALE = 20.0
ATTEMPTS = 20
"""Runs that are asked for afterwards, until the bench is free."""
ROWS_OF_A_RUN = 60
"""Most entries of the journal about a run of which a hundred messages may tell."""


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=5, time_scale=TIME_SCALE)) as running:
        yield running


@pytest.fixture
def defects() -> Iterator[Defects]:
    with watched() as defects:
        logging.getLogger("daemon").setLevel(logging.DEBUG)
        yield defects


def declared(repository: Path) -> set[str]:
    """Return each reason code that the reference lists."""
    page = (repository / "docs" / "how-to" / "read-a-result.md").read_text()
    return set(re.findall(r"^\| `([a-z0-9_]+)` \|", page, re.MULTILINE))


def test_the_shares_make_up_the_whole() -> None:
    assert SHARES * SHARE == MESSAGES == 100_000


async def test_a_few_end_in_declared_rejections(
    bench: SimulatedBenchThread, defects: Defects, repository: Path, tmp_path: Path, seed: int
) -> None:
    await fuzz(bench, defects, repository, tmp_path, seed=seed, count=2000)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("share", long_cases(*range(SHARES)))
async def test_all_end_in_declared_rejections(
    bench: SimulatedBenchThread, defects: Defects, repository: Path, tmp_path: Path, seed: int, share: int
) -> None:
    await fuzz(bench, defects, repository, tmp_path, seed=seed + 1 + share, count=SHARE)


async def fuzz(
    bench: SimulatedBenchThread, defects: Defects, repository: Path, folder: Path, *, seed: int, count: int
) -> None:
    """Send so many messages to a daemon of their own, and look at what it made of them."""
    make = MqttMaker(seed, bench=BENCH, reference=repository / "docs" / "reference" / "mqtt.md")
    begun_s = time.monotonic()
    with Watch(f"{count} messages to the daemon", seed, limit_s=WAIT_S) as watch:
        async with fuzzed_daemon(bench, folder) as (daemon, link):
            batches = count // BATCH
            for batch in range(batches):
                if batch % RUN_EVERY == 0:
                    await ask_for_a_run(link, make, f"real-{batch}")
                await send(daemon, link, make, watch)
                assert not defects.found, defects.found[:3]
                watch.end_batch()
            rate = count / (time.monotonic() - begun_s)
            result = await measured_run(bench, link)
            rows = row_counts(daemon)
    figures = f"{rate:.0f} messages a second; {rows}; said {dict(link.said)}; reasons {dict(link.reasons)}"
    sys.stdout.write(f"{figures}; longest line of the log {defects.longest}\n")  # shown where the test fails
    assert not defects.found, defects.found[:3]
    assert set(link.reasons) <= declared(repository) | make.reasons, "a board's own reason is the board's choice"
    assert "internal_error" not in link.reasons
    assert result.quality == "valid", result.reasons
    assert defects.longest < LONGEST_LOG_LINE
    real = batches // RUN_EVERY + 1 + ATTEMPTS
    assert rows["runs"] <= KEPT_REFUSALS + real
    assert rows["journal"] <= 2 * KEPT_REFUSALS + ROWS_OF_A_RUN * real
    assert len(daemon.conductor._busy) <= MOST_BOARDS


async def ask_for_a_run(link: FuzzLink, make: MqttMaker, run_id: str) -> None:
    """Begin a run that nobody will perform as it should; what the fuzz says of it meanwhile is taken seriously."""
    topics = Topics(BENCH)
    sync = make.rng.choice((["marker"], ["step"], ["clock", "step"]))
    handed_in(link, topics.request(BOARD, run_id), make.request(sync=sync))
    ended = (RunPhase.REJECTED, RunPhase.FAILED)
    if (await state_of(link, run_id, RunPhase.ARMED, *ended)).state is not RunPhase.ARMED:
        return
    handed_in(link, topics.started(BOARD, run_id), b'{"v": 1, "started_utc_ns": 1}')
    if make.rng.random() < 0.7:
        handed_in(link, topics.finished(BOARD, run_id), make.finished())


def handed_in(link: FuzzLink, topic: str, payload: bytes) -> asyncio.Future[None] | None:
    return link.hear(topic, payload)


async def send(daemon: Application, link: FuzzLink, make: MqttMaker, watch: Watch) -> None:
    """Send one batch, and wait until all of it is done with."""
    waiting = []
    for _ in range(BATCH):
        run_id = daemon.conductor.current_run
        topic, payload = make.message(in_hand=None if run_id is None else (BOARD, run_id))
        watch.sent(topic.encode("utf-8", "replace")[:200] + b" " + payload[:200])
        if (handled := handed_in(link, topic, payload)) is not None:
            waiting.append(handled)
    async with asyncio.timeout(WAIT_S):
        await asyncio.gather(*waiting)


async def measured_run(bench: SimulatedBenchThread, link: FuzzLink) -> RunResult:
    """Have a run measured as it should be, and return its result."""
    topics, run_id = Topics(BENCH), "afterwards"
    marker = await Marker.connect(bench.addresses.marker)
    try:
        for attempt in range(ATTEMPTS):
            run_id = f"afterwards-{attempt}"
            request = {"v": 1, "network": "alexnet", "batch_size": 4}
            handed_in(link, topics.request(BOARD, run_id), json.dumps(request).encode())
            ended = (RunPhase.REJECTED, RunPhase.FAILED)
            if (await state_of(link, run_id, RunPhase.ARMED, *ended)).state is RunPhase.ARMED:
                break
            await asyncio.sleep(0.3)  # the run before it is not over, and says so by rejecting this one
        handed_in(link, topics.started(BOARD, run_id), b'{"v": 1, "started_utc_ns": 1}')
        await marker.play(PULSES)
        report = {"v": 1, "finished_utc_ns": 2, "images": 4 * len(PULSES), "batches": len(PULSES)}
        handed_in(link, topics.finished(BOARD, run_id), json.dumps(report).encode())
        await state_of(link, run_id, RunPhase.DONE)
        result = await link.until(lambda topic, _: topic == topics.result(run_id))
        assert isinstance(result, RunResult)
        return result
    finally:
        await marker.close()


def row_counts(daemon: Application) -> dict[str, int]:
    from sqlalchemy import func, select

    tables = {"runs": runs, "journal": journal}
    counts = {name: daemon.store._rows(select(func.count()).select_from(table)) for name, table in tables.items()}
    return {name: int(rows[0][0]) for name, rows in counts.items()}
