"""A bench's marker input by itself: it writes down what it is told, and answers as a test wants."""

import socket
import socketserver
import threading
from types import TracebackType
from typing import Self


class MarkerBench:
    """Line server on a free port. `answers` replaces the regular answer to a word (None: silence, "": hang up)."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.answers: dict[str, str | None] = {}
        self.connections = 0
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.bench = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), name="marker-bench")

    @property
    def url(self) -> str:
        return "tcp://{}:{}".format(*self._server.server_address)

    @property
    def levels(self) -> str:
        """The levels that were set, such as `1010`."""
        return "".join(line for line in self.lines if line in {"0", "1"})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, line: str) -> str | None:
        word = line.partition(" ")[0]
        if word in self.answers:
            return self.answers[word]
        return f"ok\ndone {(len(line.split()) - 1) // 2}\n" if word == "play" else "ok\n"


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    bench: MarkerBench


class _Connection(socketserver.StreamRequestHandler):
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.bench.connections += 1

    def handle(self) -> None:
        for raw in self.rfile:
            line = raw.decode().strip()
            if line != "wire":  # a bench that does not know it answers something else, as this one does
                self.server.bench.lines.append(line)
            answer = self.server.bench.answer(line)
            if answer == "":
                return
            if answer is not None:
                self.wfile.write(answer.encode())
