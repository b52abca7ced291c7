"""The service pulse: beats while all goes on, and not while something is stuck."""

import asyncio
import threading
from pathlib import Path

import pytest

from daemon.service_notifier import ServiceNotifier
from daemon.service_pulse import LONGEST_INTERVAL_S, ServicePulse
from daemon.watched_threads import WatchedThreads
from tests.notify_socket import NotifySocket, notify_socket

WATCHDOG_S = 0.06


def pulse_of(manager: NotifySocket, **what: object) -> ServicePulse:
    notifier = ServiceNotifier(manager.address, watchdog_s=WATCHDOG_S)
    return ServicePulse(notifier, **({"status": lambda: "well"} | what))  # type: ignore[arg-type]


async def heard(manager: NotifySocket, text: str) -> str:
    return await asyncio.to_thread(manager.until, text)


async def test_it_beats_three_times_a_watch_and_asks_for_time_until_it_serves(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        pulse = pulse_of(manager)
        assert pulse.interval_s == pytest.approx(WATCHDOG_S / 3)
        async with pulse.beating():
            for text in ("STATUS=well", "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=", "WATCHDOG=1"):
                await heard(manager, text)
            pulse.ready()
            await heard(manager, "READY=1")
            for _ in range(3):
                await heard(manager, "WATCHDOG=1")
    since = manager.heard[manager.heard.index("READY=1") :]
    assert not [message for message in since if "EXTEND" in message]


def test_without_a_watchdog_the_status_is_still_told_in_time(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        notifier = ServiceNotifier(manager.address)
        assert ServicePulse(notifier, status=str).interval_s == LONGEST_INTERVAL_S


async def test_what_is_stuck_is_said_and_silences_the_watchdog(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    problem: list[str] = []
    with notify_socket(tmp_path) as manager:
        pulse = pulse_of(manager, stuck=lambda: problem[0] if problem else None)
        async with pulse.beating():
            await heard(manager, "WATCHDOG=1")
            problem.append("the disk hangs")
            await heard(manager, "STATUS=stuck: the disk hangs")
            assert await asyncio.to_thread(manager.is_silent, "WATCHDOG=1", 10 * WATCHDOG_S)
            problem.clear()
            await heard(manager, "WATCHDOG=1")
    assert caplog.text.count("stuck: the disk hangs") == 1


async def test_a_look_that_breaks_silences_the_watchdog_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = False

    def stuck() -> None:
        if broken:
            raise ZeroDivisionError

    with notify_socket(tmp_path) as manager:
        async with pulse_of(manager, stuck=stuck).beating():
            await heard(manager, "WATCHDOG=1")
            broken = True
            assert await asyncio.to_thread(manager.is_silent, "nothing at all", 10 * WATCHDOG_S)
    assert "ZeroDivisionError" in caplog.text


async def test_nobody_is_told_where_nobody_listens() -> None:
    async with ServicePulse(ServiceNotifier(), status=lambda: "well").beating():
        assert not [task for task in asyncio.all_tasks() if task.get_name() == "service-pulse"]


def test_a_reload_of_who_does_not_serve_yet_says_nothing(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        pulse = pulse_of(manager)
        with pulse.reloading():
            pass
        pulse.ready()
        with pulse.reloading():
            pass
        said = [manager.next() for _ in range(4)]
    assert said[:2] == ["STATUS=well", "READY=1"]
    assert said[2].startswith("RELOADING=1\n")
    assert said[3] == "READY=1"


def test_threads_know_their_oldest_work() -> None:
    begun, go = threading.Event(), threading.Event()
    with WatchedThreads(2) as threads:
        assert threads.longest_s == 0
        first = threads.submit(lambda: begun.set() or go.wait())  # type: ignore[func-returns-value]
        begun.wait()
        early_s = threads.longest_s
        assert threads.submit(pow, 2, exp=3).result() == 8
        assert threads.longest_s > early_s > 0
        go.set()
        assert first.result()
        assert threads.longest_s == 0
