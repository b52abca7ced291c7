"""Scripted instruments: small servers on loopback sockets whose every answer a test decides."""

import socket
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from instruments.mnemonic import short_form

HANG_UP = b"\x00hang up\x00"
"""Answer that makes a server close the connection; bytes before it are sent first."""

Answer = Callable[[str], bytes | None]
"""What answers a message: bytes to send as they are, or None for silence."""


class ScriptedInstrument:
    """A raw SCPI socket. One client at a time; a new one is served after the old one has gone.

    `left` is set once a client has gone, and all that it sent is in `received`.
    """

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.received: list[str] = []
        self.connections = 0
        self.left = threading.Event()
        self.failure: BaseException | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="scripted instrument")

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def resource(self) -> str:
        return f"TCPIP0::127.0.0.1::{self.port}::SOCKET"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._closing = True
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes accept
        self.hang_up()
        self._thread.join(5)
        self._listener.close()
        assert not self._thread.is_alive()
        if self.failure is not None and error is None:
            raise self.failure

    def hang_up(self) -> None:
        """Close the present connection from this side."""
        if self._client is not None:
            try:
                self._client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def handle(self, line: bytes) -> bytes | None:
        text = line.decode("ascii")
        self.received.append(text)
        return self._answer(text)

    def _serve(self) -> None:
        while not self._closing:
            client, _ = self._listener.accept()
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._client = client
                self.left.clear()
                self.connections += 1
                self._converse(client)
                self._client = None
            self.left.set()

    def _converse(self, client: socket.socket) -> None:
        pending = b""
        try:
            while data := client.recv(65536):
                pending += data
                *lines, pending = self.split(pending)
                for line in lines:
                    if not self._reply(client, self.handle(line)):
                        return
        except OSError:
            return
        except BaseException as error:  # an assertion in a script: the test must see it, not this thread
            self.failure = self.failure or error

    def split(self, pending: bytes) -> list[bytes]:
        return pending.split(b"\n")

    def _reply(self, client: socket.socket, answer: bytes | None) -> bool:
        if answer is None:
            return True
        client.sendall(answer.removesuffix(HANG_UP))
        return not answer.endswith(HANG_UP)


class ScriptedAdapter(ScriptedInstrument):
    """A Prologix-style adapter: `++` lines are its own, the rest goes to the instrument at the present address."""

    def __init__(self, instruments: dict[str, Answer]) -> None:
        super().__init__(lambda _: None)
        self._instruments = instruments
        self.address = ""
        self.adapter_commands: list[str] = []
        self._ready: bytes | None = None

    def resource_on(self, board: int) -> str:
        return f"PRLGX-TCPIP{board}::127.0.0.1::{self.port}::INTFC"

    def split(self, pending: bytes) -> list[bytes]:
        """Split at newlines that no ESC precedes."""
        parts: list[bytes] = [b""]
        escaped = False
        for value in pending:
            byte = bytes([value])
            if byte == b"\n" and not escaped:
                parts.append(b"")
                continue
            parts[-1] += byte
            escaped = byte == b"\x1b" and not escaped
        return parts

    def handle(self, line: bytes) -> bytes | None:
        if line.startswith(b"++"):
            return self._command(line.decode("ascii"))
        message = _unescape(line).decode("ascii")
        self.received.append(message)
        instrument = self._instruments.get(self.address)
        self._ready = instrument(message) if instrument else None
        return None

    def _command(self, command: str) -> bytes | None:
        self.adapter_commands.append(command)
        if command.startswith("++addr "):
            self.address = command.removeprefix("++addr ")
        if command == "++clr":
            self._ready = None
        if command == "++read eoi":
            ready, self._ready = self._ready, None
            return ready
        return None


def _unescape(line: bytes) -> bytes:
    out = bytearray()
    escaped = False
    for value in line:
        if value == 0x1B and not escaped:
            escaped = True
            continue
        out.append(value)
        escaped = False
    return bytes(out)


def answers(table: dict[str, str | bytes]) -> Answer:
    """Answer from a table; messages that are not in it get silence."""

    def answer(message: str) -> bytes | None:
        value = table.get(message)
        return f"{value}\n".encode() if isinstance(value, str) else value

    return answer


def transcript(exchanges: Sequence[tuple[str, str | bytes | None]]) -> Answer:
    """Answer an exact sequence of messages; any deviation fails the test."""
    remaining = list(exchanges)

    def answer(message: str) -> bytes | None:
        assert remaining, f"no more messages expected, got {message!r}"
        expected, value = remaining.pop(0)
        assert message == expected, f"expected {expected!r}, got {message!r}"
        return f"{value}\n".encode() if isinstance(value, str) else value

    return answer


def echo(overrides: dict[str, str | bytes], clamped: dict[str, str] | None = None) -> Answer:
    """Keep what is set and answer it in short form; `clamped` headers keep their own value, whatever is set."""
    kept: dict[str, str] = {}

    def answer(message: str) -> bytes | None:
        if message in overrides:
            value = overrides[message]
            return f"{value}\n".encode() if isinstance(value, str) else value
        if message.endswith("?"):
            header = message[:-1]
            return f"{(clamped or {}).get(header, kept.get(header, 'NEVER SET'))}\n".encode()
        header, _, argument = message.partition(" ")
        kept[header] = short_form(argument)
        return None

    return answer


def block(data: bytes) -> bytes:
    """Return data as a definite-length block with its newline, as the oscilloscope sends it."""
    return b"#8%08d" % len(data) + data + b"\n"
