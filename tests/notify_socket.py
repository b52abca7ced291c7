"""A service manager's ear: the datagram socket that NOTIFY_SOCKET names, as systemd has one."""

import contextlib
import socket
import time
from collections.abc import Iterator
from pathlib import Path

HEARD_WITHIN_S = 60.0
"""A process may take long to start on a busy machine."""


class NotifySocket:
    """Takes what is said, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def next(self, within_s: float = HEARD_WITHIN_S) -> str:
        """Return the next message; raises TimeoutError where none comes."""
        self._socket.settimeout(within_s)
        self.heard.append(self._socket.recv(65536).decode())
        return self.heard[-1]

    def until(self, text: str) -> str:
        """Return the next message that holds a text."""
        end_s = time.monotonic() + HEARD_WITHIN_S
        with contextlib.suppress(TimeoutError):
            while text not in self.next(max(0.001, end_s - time.monotonic())):
                pass
            return self.heard[-1]
        raise AssertionError(f"nobody said {text!r}; heard {self.heard[-20:]}")

    def is_silent(self, about: str, for_s: float) -> bool:
        """Return whether nothing that holds a text comes within this time."""
        end_s = time.monotonic() + for_s
        with contextlib.suppress(TimeoutError):
            while (left_s := end_s - time.monotonic()) > 0:
                if about in self.next(left_s):
                    return False
        return True

    def close(self) -> None:
        self._socket.close()


@contextlib.contextmanager
def notify_socket(folder: Path, *, abstract: bool = False) -> Iterator[NotifySocket]:
    """A socket in a folder, or an abstract one with the folder's name."""
    path = folder / "notify"
    made = NotifySocket(f"@joulebench{path}" if abstract else str(path))
    try:
        yield made
    finally:
        made.close()
