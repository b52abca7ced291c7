"""Output relay: shows a program's output to its user without ever waiting for the terminal."""

import threading
from collections import deque
from collections.abc import Callable

BUFFER_BYTES = 1 << 20
"""Most that is kept while the terminal does not take it; what comes beyond is dropped, and counted."""
CLOSE_S = 1.0
"""Longest wait for the terminal at the end."""


class OutputRelay:
    """A thread between the reader of the output, whose time stamps must not wait, and a sink that may."""

    def __init__(self, sink: Callable[[bytes], object]) -> None:
        """Take what shows bytes; it is called from a thread of this object's own."""
        self._sink = sink
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="output-relay", daemon=True)
        self._thread.start()

    def put(self, data: bytes) -> None:
        """Show data, or drop it where too much waits already."""
        with self._changed:
            if self._size + len(data) > BUFFER_BYTES:
                self._dropped += len(data)
                return
            self._waiting.append(data)
            self._size += len(data)
            self._changed.notify()

    def close(self) -> None:
        """Show what waits, for a short while at most."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while (data := self._next()) is not None:
            try:
                self._sink(data)
            except (OSError, ValueError):  # the terminal is gone; the program's run is not
                return

    def _next(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._dropped or self._closed)
            if self._waiting:
                data = self._waiting.popleft()
                self._size -= len(data)
                return data
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                return f"\n[joulebench: {dropped} bytes of output are not shown]\n".encode()
            return None
