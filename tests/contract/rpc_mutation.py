"""Frames for the VXI-11 server: calls as they should be, bent ones, and noise."""

from instruments.simulated.xdr import opaque, unsigned
from tests.contract.message_mutation import MessageMaker

CORE = 0x0607AF
LAST_FRAGMENT = 0x80000000
CREATE_LINK, WRITE, READ, CLEAR = 10, 11, 12, 15
_PROCEDURES = (*range(10, 24), 25, 26, 0, 9, 27)
_AT_ONCE = (13, 14, 15, 16, 17, 19, 20, 22, 23, 25, 26, 0, 9, 27)
_WORDS = (0, 1, 2, 5, 8, 128, 137, 150, 255, 1000, 65_536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def frame(procedure: int, body: bytes, *, head: tuple[int, ...] | None = None, fragment: int = 0) -> bytes:
    """Return a call as one record, or as two fragments of which the first has this many bytes."""
    words = head or (7, 0, 2, CORE, 1, procedure, 0, 0, 0, 0)
    record = b"".join(map(unsigned, words)) + body
    first = record[:fragment]
    start = unsigned(len(first)) + first if fragment else b""
    return start + unsigned(LAST_FRAGMENT | len(record) - len(first)) + record[len(first) :]


def _words(*values: int) -> bytes:
    return b"".join(map(unsigned, values))


def create_link() -> bytes:
    """Return the call that makes a link."""
    return frame(CREATE_LINK, _words(1, 0, 0) + opaque(b"inst0"))


def ask_identity(link: int) -> bytes:
    """Return the calls that make a link, clear the device and ask who it is; the link's number is known beforehand."""
    clear = frame(CLEAR, _words(link, 0, 0, 100))
    ask = frame(WRITE, _words(link, 1000, 0, 8) + opaque(b"*CLS;*IDN?\n"))
    return create_link() + clear + ask + frame(READ, _words(link, 1000, 1000, 0, 0, 0))


class RpcMaker:
    """Makes frames."""

    def __init__(self, messages: MessageMaker) -> None:
        self._messages = messages
        self.rng = messages.rng

    def call(self, link: int, *, patient: bool = True) -> bytes:
        """Return one call, mostly to a link, with a head as it should be: what is bent are its arguments.

        Args:
            link: number of a link that is there.
            patient: also calls that may wait for hours.
        """
        procedure = self.rng.choice((WRITE, WRITE, READ, READ, *_PROCEDURES) if patient else _AT_ONCE)
        body = self._body(procedure, link if self.rng.random() < 0.9 else self.rng.choice(_WORDS))
        if self.rng.random() < 0.4:
            body = self._messages.mutated(body)
        return frame(procedure, body, fragment=self.rng.choice((0, 0, 0, 1, 4, 40)))

    def broken(self, link: int) -> bytes:
        """Return what may end a connection: a call bent anywhere, another program's, or noise."""
        kind = self.rng.random()
        if kind < 0.2:
            return self._messages.noise()
        if kind < 0.5:
            head = [7, 0, 2, CORE, 1, WRITE, 0, 0, 0, 0]
            head[self.rng.randrange(len(head))] = self.rng.choice(_WORDS)
            return frame(WRITE, self._body(WRITE, link), head=tuple(head))
        return self._messages.mutated(self.call(link))

    def _body(self, procedure: int, link: int) -> bytes:
        words = [self.rng.choice(_WORDS) for _ in range(5)]
        message = self._messages.message()
        if procedure == CREATE_LINK:
            return _words(*words[:3]) + opaque(self.rng.choice((b"inst0", b"INST0", b"inst1", b"", message[:50])))
        if procedure == WRITE:
            return _words(link, *words[:2], self.rng.choice((0, 8, 8, 8, words[3]))) + opaque(message)
        return _words(link, *words)
