import asyncio
import threading

import pytest

from instruments.errors import ConnectionFailed, InstrumentTimeout
from instruments.worker import BACKLOG_LIMIT, InstrumentWorker


@pytest.fixture
def worker():
    made = InstrumentWorker("oscilloscope")
    yield made
    made.close()


async def test_every_call_runs_on_one_named_thread(worker) -> None:
    threads = {await worker.run(threading.current_thread, deadline_s=5) for _ in range(3)}
    assert len(threads) == 1
    assert threads.pop().name.startswith("oscilloscope")


async def test_calls_run_one_after_the_other(worker) -> None:
    inside: list[int] = []
    most: list[int] = []

    def enter(number: int) -> int:
        inside.append(number)
        most.append(len(inside))
        inside.remove(number)
        return number

    assert await asyncio.gather(*(worker.run(enter, n, deadline_s=5) for n in range(8))) == list(range(8))
    assert max(most) == 1


async def test_an_error_comes_back_as_it_was_raised(worker) -> None:
    def fail() -> None:
        raise ZeroDivisionError("as it was")

    with pytest.raises(ZeroDivisionError, match="as it was"):
        await worker.run(fail, deadline_s=5)


async def test_a_missed_deadline_names_the_operation_and_the_seconds(worker) -> None:
    release = threading.Event()

    def read_everything() -> bool:
        return release.wait(10)

    with pytest.raises(InstrumentTimeout, match=r"oscilloscope: read_everything: no result within 0\.01 s"):
        await worker.run(read_everything, deadline_s=0.01)
    release.set()
    assert await worker.run(int, "7", deadline_s=5) == 7


async def test_a_call_that_nobody_awaits_any_more_is_not_started(worker) -> None:
    release = threading.Event()
    started: list[int] = []
    first = asyncio.create_task(worker.run(release.wait, 10, deadline_s=10))
    second = asyncio.create_task(worker.run(started.append, 1, deadline_s=10))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    release.set()
    assert await first
    assert await worker.run(int, "7", deadline_s=5) == 7
    assert started == []


async def test_calls_to_a_hanging_instrument_are_refused_at_once(worker) -> None:
    release = threading.Event()
    waiting = [asyncio.create_task(worker.run(release.wait, 10, deadline_s=20)) for _ in range(BACKLOG_LIMIT)]
    await asyncio.sleep(0)
    with pytest.raises(InstrumentTimeout, match="16 earlier calls still wait"):
        await worker.run(int, deadline_s=20)
    release.set()
    assert all(await asyncio.gather(*waiting))
    assert await worker.run(int, "7", deadline_s=5) == 7


def test_a_blocking_call_does_the_same(worker) -> None:
    assert worker.call(int, "7", deadline_s=5) == 7
    release = threading.Event()
    with pytest.raises(InstrumentTimeout, match="wait"):
        worker.call(release.wait, 10, deadline_s=0.01)
    release.set()


async def test_a_closed_worker_says_so(worker) -> None:
    worker.close()
    with pytest.raises(ConnectionFailed, match="worker is closed"):
        await worker.run(int, deadline_s=5)


async def test_an_abandoned_worker_does_its_last_call_and_no_other(worker) -> None:
    begun, go_on, done = threading.Event(), threading.Event(), list[str]()

    def hang() -> None:
        begun.set()
        go_on.wait(5)

    hanging = asyncio.ensure_future(worker.run(hang, deadline_s=5))
    await asyncio.to_thread(begun.wait, 5)
    waiting = asyncio.ensure_future(worker.run(done.append, "waited", deadline_s=5))
    await asyncio.sleep(0)
    closed = threading.Event()
    worker.abandon(closed.set)
    assert not closed.is_set()
    go_on.set()
    await hanging
    assert await asyncio.to_thread(closed.wait, 5)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert done == []
    worker.abandon(closed.set)  # again, as closing is
