"""The service notifier: what a manager hears, and whom it is meant for."""

import os
import time
from pathlib import Path

import pytest

from daemon.service_notifier import ServiceNotifier
from tests.notify_socket import notify_socket


@pytest.mark.parametrize("abstract", [False, True])
def test_a_manager_hears_each_message(tmp_path: Path, abstract: bool) -> None:
    with notify_socket(tmp_path, abstract=abstract) as manager:
        notifier = ServiceNotifier(manager.address, watchdog_s=30.0)
        assert notifier.heard
        notifier.status("bench open;\n no run")
        notifier.ready()
        notifier.alive()
        notifier.extend(1.5)
        notifier.stopping()
        said = [manager.next() for _ in range(5)]
    assert said == ["STATUS=bench open; no run", "READY=1", "WATCHDOG=1", "EXTEND_TIMEOUT_USEC=1500000", "STOPPING=1"]


def test_a_reload_has_the_monotonic_time_that_systemd_compares(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        before_us = time.monotonic_ns() // 1000
        ServiceNotifier(manager.address).reloading()
        lines = manager.next().split("\n")
    assert lines[0] == "RELOADING=1"
    assert before_us <= int(lines[1].removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_the_same_status_is_not_said_again(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        notifier = ServiceNotifier(manager.address)
        for text in ("a", "a", "b"):
            notifier.status(text)
        assert [manager.next(), manager.next()] == ["STATUS=a", "STATUS=b"]


def test_no_watchdog_hears_of_life(tmp_path: Path) -> None:
    with notify_socket(tmp_path) as manager:
        notifier = ServiceNotifier(manager.address)
        notifier.alive()
        notifier.ready()
        assert manager.next() == "READY=1"


def test_without_a_manager_it_is_silent() -> None:
    notifier = ServiceNotifier.from_environment({})
    assert not notifier.heard
    notifier.ready()


def test_a_manager_that_is_gone_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    ServiceNotifier(str(tmp_path / "gone")).ready()
    assert "the service manager does not hear READY: " in caplog.text


def test_what_a_manager_does_not_hear_of_a_run_is_no_line_about_that_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    ServiceNotifier(str(tmp_path / "gone")).status("run r1 armed")
    assert "does not hear STATUS: " in caplog.text
    assert "r1" not in caplog.text


def test_a_manager_that_does_not_read_is_not_waited_for_and_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with notify_socket(tmp_path) as manager:
        notifier = ServiceNotifier(manager.address, watchdog_s=1.0)
        for _ in range(2000):  # more than net.unix.max_dgram_qlen of any system
            notifier.alive()
        assert caplog.text.count("does not hear WATCHDOG: ") == 1
        while manager.next() != "WATCHDOG=1":
            pass
        notifier.status("heard again")
        manager.until("STATUS=heard again")


@pytest.mark.parametrize(
    ("variables", "watchdog_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid() + 1)}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_what_the_environment_asks_for_is_taken_out_of_it(variables: dict[str, str], watchdog_s: float | None) -> None:
    environment = {"NOTIFY_SOCKET": "/run/systemd/notify", **variables, "HOME": "/root"}
    notifier = ServiceNotifier.from_environment(environment)
    assert notifier.heard
    assert notifier.watchdog_s == watchdog_s
    assert environment == {"HOME": "/root"}


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:1234"])
def test_an_address_that_is_no_socket_here_is_left_alone(address: str) -> None:
    assert not ServiceNotifier.from_environment({"NOTIFY_SOCKET": address}).heard
