"""Service notifier: tells a service manager such as systemd how a program of ours is, by sd_notify's protocol.

The protocol is a datagram of `NAME=value` lines to a socket that a variable names (sd_notify(3)). The package of that
name was last released in 2017 and hides every error; python-systemd is built against a C library that a board may lack.
What is needed of either is this file.
"""

import logging
import os
import socket
import time
from collections.abc import MutableMapping

logger = logging.getLogger(__name__)

SEND_TIMEOUT_S = 0.2
"""How long a manager whose socket is full is waited for with what is said once. What is said again soon waits for
nobody: the event loop that says it measures a run."""


class ServiceNotifier:
    """Speaks to the service manager that started this program; silent where none did. Never raises."""

    def __init__(self, address: str | None = None, *, watchdog_s: float | None = None) -> None:
        """Speak to one manager.

        Args:
            address: path of its socket, or `@` and an abstract name; None: there is none.
            watchdog_s: how often it must hear that all is well, in seconds; None: it does not watch.
        """
        self._address = None if address is None else "\0" + address[1:] if address.startswith("@") else address
        self.watchdog_s = watchdog_s if address else None
        self._status = ""
        self._is_deaf = False

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> "ServiceNotifier":
        """Return the notifier that the environment asks for; what asks is taken out, for it is not meant for children.

        A watchdog that is meant for another process, by its number, is none of ours.
        """
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds, process = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        if not address.startswith(("/", "@")):
            return cls()
        watched = microseconds.isdecimal() and int(microseconds) > 0 and process in ("", str(os.getpid()))
        return cls(address, watchdog_s=int(microseconds) * 1e-6 if watched else None)

    @property
    def heard(self) -> bool:
        """There is a manager."""
        return self._address is not None

    def ready(self) -> None:
        """Say that the program serves; after `reloading`, that it does again."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """Say in words how it is; the same words are not said again."""
        line = " ".join(text.split())
        if line != self._status and self._send(f"STATUS={line}", within_s=0.0):
            self._status = line

    def alive(self) -> None:
        """Say that all is well, within the watchdog's time."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1", within_s=0.0)

    def reloading(self) -> None:
        """Say that the configuration is read again; `ready` ends it."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Say that the program ends."""
        self._send("STOPPING=1")

    def extend(self, seconds: float) -> None:
        """Ask for more time to start or to stop, counted from now."""
        self._send(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _send(self, *assignments: str, within_s: float = SEND_TIMEOUT_S) -> bool:
        """Send a message; a socket of its own each time, for the manager may have been started again meanwhile."""
        if self._address is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.settimeout(within_s)
                sender.sendto("\n".join(assignments).encode(), self._address)
        except OSError as error:
            if not self._is_deaf:
                # By its name alone: a status tells of a run, and the line is not about that run.
                name, _, _ = assignments[0].partition("=")
                logger.warning("the service manager does not hear %s: %s", name, error)
            self._is_deaf = True
            return False
        self._is_deaf = False
        return True
