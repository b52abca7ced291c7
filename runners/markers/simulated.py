"""Simulated marker: the marker input of a simulated bench, over TCP.

One text line an edge, `1` or `0`, answered `ok` once the world has taken the level; `play H L H L ...` plays whole
pulses in the world's own seconds, answered `ok` at once and `done N` after the last low.

An answer takes two wake-ups of processes, some 100 us an edge. A bench on the same computer offers an edge log instead
(`wire`), into which an edge is written with its time: that takes a few microseconds. The connection stays, and says
whether the bench is still there.
"""

import re
import select
import socket
import time
from collections.abc import Callable, Sequence
from io import BufferedReader

from runners.errors import MarkerError
from runners.markers.edge_wire import EdgeWire
from runners.markers.marker import Pulse

ANSWER_TIMEOUT_S = 5.0
"""An edge is answered within a millisecond; a bench that takes this long is gone."""

_URL = re.compile(r"tcp://(?P<host>[^:/@]+):(?P<port>\d{1,5})")


class SimulatedMarker:
    """A connection that is made at first use, and made again after an error."""

    wired = True

    def __init__(self, url: str, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Take `tcp://HOST:PORT`, and the board's clock, which runs faster where the world does."""
        self.url = url
        self._monotonic_ns = monotonic_ns
        self._host, self._port = self._address()
        self._socket: socket.socket | None = None
        self._answers: BufferedReader | None = None
        self._wire: EdgeWire | None = None
        self._said = select.poll()

    def set(self, level: bool) -> None:
        """Set the level: by the wire, or by asking and waiting until the world has taken it.

        Either way the edge lies between call and return.
        """
        operation = f"set level {int(level)}"
        self._connect(operation)
        if self._wire is None:
            self._ask(b"1\n" if level else b"0\n", operation)
            return
        if self._said.poll(0):  # nothing is to be said: the connection has ended
            self._expect("nothing", operation, ANSWER_TIMEOUT_S)
        if not self._wire.write(level):
            self._ask(b"wire\n", operation)
            if not self._wire.write(level):
                raise MarkerError(self.url, operation, "the bench does not read its wire")

    def play(self, pulses: Sequence[Pulse]) -> tuple[int, int]:
        """Play pulses in the world's seconds; return, when the last low has passed, when the first pulse began.

        It began between asking and being answered: the middle is returned, and half of the time between.
        """
        times = " ".join(f"{seconds:.9g}" for pulse in pulses for seconds in pulse)
        asked_ns = self._monotonic_ns()
        self._ask(f"play {times}\n".encode(), f"play {len(pulses)} pulses")
        answered_ns = self._monotonic_ns()
        # World time runs at the wall clock's pace or faster.
        longest_s = ANSWER_TIMEOUT_S + 2 * sum(high_s + low_s for high_s, low_s in pulses)
        self._expect(f"done {len(pulses)}", f"play {len(pulses)} pulses", longest_s)
        return (asked_ns + answered_ns) // 2, (answered_ns - asked_ns) // 2 + 1

    def close(self) -> None:
        """Set the line low, where the bench is still there to take it, and disconnect."""
        if self._socket is None:
            return
        try:
            self.set(False)
        except MarkerError:
            return  # it has disconnected by that
        self._disconnect()

    def _ask(self, line: bytes, operation: str) -> None:
        self._connect(operation)
        assert self._socket is not None
        try:
            self._socket.sendall(line)
        except OSError as error:
            self._disconnect()
            raise MarkerError(self.url, operation, str(error)) from error
        self._expect("ok", operation, ANSWER_TIMEOUT_S)

    def _expect(self, wanted: str, operation: str, timeout_s: float) -> None:
        answer = self._answer(operation, timeout_s)
        if answer != wanted:
            self._disconnect()
            problem = f"answered {answer!r}, not {wanted!r}" if answer else "the bench closed the connection"
            raise MarkerError(self.url, operation, problem)

    def _answer(self, operation: str, timeout_s: float) -> str:
        assert self._socket is not None
        assert self._answers is not None
        try:
            self._socket.settimeout(timeout_s)
            return self._answers.readline().decode("utf-8", "replace").rstrip()
        except OSError as error:
            self._disconnect()
            problem = f"no answer in {timeout_s:.3g} s" if isinstance(error, TimeoutError) else str(error)
            raise MarkerError(self.url, operation, problem) from error

    def _connect(self, operation: str) -> None:
        if self._socket is not None:
            return
        try:
            self._socket = socket.create_connection((self._host, self._port), timeout=ANSWER_TIMEOUT_S)
            # An edge is one small packet; without this each would wait for the acknowledgement of the last.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._answers = self._socket.makefile("rb")
            self._socket.sendall(b"wire\n")
        except OSError as error:
            self._disconnect()
            raise MarkerError(self.url, operation, str(error)) from error
        # A bench that knows no wire answers that it does not.
        self._wire = EdgeWire.from_answer(self._answer(operation, ANSWER_TIMEOUT_S))
        self._said.register(self._socket, select.POLLIN)

    def _disconnect(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None
        if self._socket is not None:
            self._said = select.poll()
        answers, connection = self._answers, self._socket
        self._answers = self._socket = None
        if answers is not None:
            answers.close()
        if connection is not None:
            connection.close()

    def _address(self) -> tuple[str, int]:
        match = _URL.fullmatch(self.url)
        if match is None or not 0 < int(match["port"]) < 65536:
            raise MarkerError(self.url, "read the address", "want tcp://HOST:PORT")
        return match["host"], int(match["port"])
