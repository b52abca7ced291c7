"""Hang-up: what SIGHUP means to a program that serves.

To a program in a terminal it means that the terminal is gone: it is to end, and the supply's output to be left as
configured. To a service it means by old custom that the configuration has changed. Nobody hangs up on a service, for it
has no terminal; so which of the two is meant can be told by whether there is one.
"""

import os
import signal
from enum import StrEnum
from typing import Annotated

import typer

TERMINAL = "/dev/tty"
"""The terminal that controls a process; it cannot be opened where there is none (tty(4))."""


class HangUp(StrEnum):
    """What SIGHUP means."""

    AUTO = "auto"
    """`reload` for a service and where no terminal controls the process; `ignore` under nohup; else `end`."""
    END = "end"
    """The daemon ends in an orderly way."""
    RELOAD = "reload"
    """The configuration is read again."""
    IGNORE = "ignore"
    """Nothing."""


HangUpOption = Annotated[
    HangUp,
    typer.Option(
        "--hang-up",
        help="What SIGHUP means; auto: reload for a service and where there is no terminal, nothing under nohup, "
        "else the end.",
    ),
]


def what_a_hang_up_means(wish: HangUp, *, is_service: bool) -> HangUp:
    """Return what SIGHUP means, never `auto`.

    Args:
        wish: what was asked for.
        is_service: a service manager started this process and listens.
    """
    if not hasattr(signal, "SIGHUP"):
        return HangUp.IGNORE
    if wish is not HangUp.AUTO:
        return wish
    if is_service:
        return HangUp.RELOAD
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return HangUp.IGNORE
    return HangUp.END if has_terminal() else HangUp.RELOAD


def has_terminal() -> bool:
    """Return whether a terminal controls this process."""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
