"""What SIGHUP means: to a service that its configuration has changed, to a program in a terminal that this is gone."""

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from daemon.cli.hang_up import HangUp, what_a_hang_up_means

PROGRAM = "from daemon.cli.hang_up import has_terminal; print(has_terminal())"


@pytest.mark.parametrize(
    ("is_service", "ignored", "terminal", "means"),
    [
        (True, False, False, HangUp.RELOAD),
        (True, True, True, HangUp.RELOAD),
        (False, True, True, HangUp.IGNORE),
        (False, False, True, HangUp.END),
        (False, False, False, HangUp.RELOAD),
    ],
)
def test_what_it_means_follows_from_who_may_hang_up(
    is_service: bool, ignored: bool, terminal: bool, means: HangUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.cli.hang_up.has_terminal", lambda: terminal)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        assert what_a_hang_up_means(HangUp.AUTO, is_service=is_service) is means
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("wish", [HangUp.END, HangUp.RELOAD, HangUp.IGNORE])
def test_what_is_asked_for_is_what_it_means(wish: HangUp) -> None:
    assert what_a_hang_up_means(wish, is_service=True) is wish


def test_a_terminal_that_controls_the_process_is_seen(repository: Path) -> None:
    controller, terminal = pty.openpty()
    try:

        def take() -> None:
            os.setsid()
            fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        with_one = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True,
            cwd=repository, preexec_fn=take, pass_fds=(terminal,),
        )  # fmt: skip
    finally:
        os.close(controller)
        os.close(terminal)
    without = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True,
        cwd=repository, start_new_session=True,
    )  # fmt: skip
    assert (with_one.stdout, without.stdout) == ("True\n", "False\n")
