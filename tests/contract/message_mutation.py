"""Messages that nobody should send: valid ones harvested from command trees and from the code, and their mutations."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.scpi_tree import ScpiTree

PLAIN = (b"0", b"1", b"2", b"5", b"0.1", b"0.5", b"10", b"100", b"1000", b"5E-3", b"+2.00000000E-001", b"-1", b"50")
"""Numbers that many commands take."""
NUMBERS = (
    b"0", b"1", b"-1", b"2.5", b"+1.00000000E-009", b".5", b"1E3", b"65536", b"9.9E+37", b"-9.9E37", b"1E38", b"1E999",
    b"-1E999", b"1E-999", b"NaN", b"INF", b"-inf", b"1_0", b"0x10", b"1e", b"5 mV", b"20us", b"3 parsec", b"--1",
    b"1.2.3", b"4294967296", b"-2147483649", b"1E+0000000000000000003", b"9" * 400, b"7" * 5000, b"1" * 29_000 + b"!",
    b"0." + b"3" * 3000 + b"?",
)  # fmt: skip
WORDS = (
    b"ON", b"OFF", b"MIN", b"MAX", b"DEF", b"UP", b"DOWN", b"CHANnel1", b"CHAN2", b"CHANnel5", b"DIGital0", b"POD1",
    b"NORMal", b"HRESolution", b"AVERage", b"PEAK", b"RAW", b"WORD", b"BYTE", b"ASCii", b"LSBFirst", b"POSitive",
    b"NEGative", b"EDGE", b"AUTO", b"AMPere", b"VOLT", b"LEFT", b"ROLL", b"P35V", b"P60V", b"LOW", b"HIGH", b"PNG",
    b"BMP", b"TTL", b"DISPlay,AC", b"CYCLe", b"'text'", b'"text"', b"'", b'"', b'"a\'b', b"'unclosed, ;", b"''",
    b"FIFTy", b"BUS",
)  # fmt: skip
BLOCKS = (
    b"#0", b"#", b"#15hello", b"#800000005hello", b"#800000009hello", b"#3abc", b"#9999999999", b"#15he;lo",
    b"#15\n\n\n\n\n", b"#1-1", b"#2 5hello", b"#10", b"#A5hello", b"#15hellomore", b"#19short", b"#\xb25hello",
)  # fmt: skip
FRAGMENTS = (
    b";", b";;", b":", b"::::", b":" * 500, b";" * 500, b"?", b"??", b"*", b",", b"," * 200, b" ", b"\t", b"\x00",
    b"\r", b"#", b"\x1b", b"\x1b\x1b", b"++", b"\xff", b"\xb5", b"\xdf", b"\xe2\x84\xa6", b"*IDN?", b";*RST;",
    b":SYSTem:ERRor?", b"1;", b"*WAI;", b":DIGitize;", b"\n", b"(@1,2)", b"MIN", b"E", b"-", b"+", b".", b"A" * 300,
    b"9" * 300,
)  # fmt: skip
_MESSAGE = re.compile(r"""["'](:?(?:\*?[A-Z]{2,}[a-z]*[1-4]?)(?::[A-Z]{2,}[A-Za-z]*[0-9]?)*\??(?: [^"'{}\\]*)?)["']""")
LONGEST = 30_000
"""Longest message made, in bytes, but for those that are made to be too long."""


def headers(tree: ScpiTree) -> list[tuple[str, bool]]:
    """Return every header of a tree as (header, whether it is a query), each in its long and in its short form."""
    return [*_headers(tree._root, "", ""), *((f"*{name}?", True) for name in ("IDN", "OPC", "ESR", "STB"))]


def _headers(node: object, long: str, short: str) -> Iterator[tuple[str, bool]]:
    for child in node.children:  # type: ignore[attr-defined]
        number = "<n>" if child.numbered else ""
        colon = "" if child.long.startswith("*") else ":"
        both = (f"{long}{colon}{child.long}{number}", f"{short}{colon}{child.short}{number}")
        for header in both:
            if child.write is not None:
                yield header, False
            if child.query is not None:
                yield header + "?", True
        yield from _headers(child, *both)


def written_messages(repository: Path) -> list[bytes]:
    """Return what the drivers and the tests' exchanges send, as their code spells it."""
    files = [*(repository / "instruments").glob("*.py"), *(repository / "tests" / "unit" / "simulated").glob("*.py")]
    files += (repository / "tests" / "unit" / "instruments").rglob("*.py")
    texts = {found[1] for file in sorted(files) for found in _MESSAGE.finditer(file.read_text("utf-8"))}
    return [text.encode("latin-1", "replace") for text in sorted(texts)]


def written_words(repository: Path) -> list[bytes]:
    """Return the choices that the dialects know, in both cases, as their code spells them."""
    files = sorted((repository / "instruments" / "simulated").glob("*.py"))
    found = {word for file in files for word in re.findall(r'"([A-Z]{2,}[a-z]*[1-4]?)"', file.read_text("utf-8"))}
    return [word.encode() for word in sorted(found)]


def known_to(instrument: ScpiInstrument, messages: Sequence[bytes]) -> list[bytes]:
    """Return the messages of which an instrument knows every header; it is left as it was found."""
    undefined = '-113,"Undefined header"'
    known = []
    for message in messages:
        instrument.device_clear()
        instrument.receive(message)
        first = instrument.errors.pop()
        instrument.clear_status()
        known += [message] if first != undefined else []
    instrument.device_clear()
    instrument.reset()
    return known


class MessageMaker:
    """Makes messages out of a corpus; the same ones from the same seed."""

    def __init__(
        self, seed: int, *, tree: ScpiTree | None = None, corpus: Sequence[bytes] = (), words: Sequence[bytes] = WORDS
    ) -> None:
        self.rng = random.Random(seed)
        self._headers = [] if tree is None else headers(tree)
        self._corpus = list(corpus)
        self._words = list(words)

    def message(self) -> bytes:
        """Return a valid message, a mutated one, or random bytes."""
        kind = self.rng.random()
        if kind < 0.05:
            return self.noise()
        message = self.valid()
        return message if kind < 0.2 else self.mutated(message)

    def noise(self) -> bytes:
        """Return random bytes: often printable ones, rarely many."""
        size = self.rng.choice((1, 2, 5, 20, 100, 1000))
        if self.rng.random() < 0.5:
            return self.rng.randbytes(size)
        return bytes(self.rng.choices(b":;*?#,+-.'\"\x1b \t\r09AEeIN", k=size))

    def valid(self) -> bytes:
        """Return one command or query, or several in one message."""
        count = 1 if self.rng.random() < 0.8 else self.rng.randint(2, 5)
        return b";".join(self._unit() for _ in range(count))

    def mutated(self, message: bytes) -> bytes:
        """Return a message with one to four things done to it."""
        for _ in range(self.rng.choice((1, 1, 1, 2, 4))):
            message = self.rng.choice(_MUTATIONS)(self, message)[:LONGEST]
        return message

    def renumbered(self, message: bytes) -> bytes:
        """Return a message with one of its numbers exchanged, and nothing else."""
        return _change_number(self, message)

    def _unit(self) -> bytes:
        if not self._headers or (self._corpus and self.rng.random() < 0.3):
            return self.rng.choice(self._corpus)
        header, is_query = self.rng.choice(self._headers)
        header = header.replace("<n>", self.rng.choice(("", "1", "1", "2", "3", "4", "0", "9")))
        if self.rng.random() < 0.3:
            header = header.lower()
        if self.rng.random() < (0.85 if is_query else 0.1):
            return header.encode()
        return header.encode() + b" " + self.parameters()

    def parameters(self) -> bytes:
        """Return one parameter, sometimes more, of any kind."""
        count = self.rng.choice((1, 1, 1, 1, 2, 3))
        kinds = (PLAIN, PLAIN, PLAIN, NUMBERS, WORDS, WORDS, self._words, self._words, BLOCKS)
        return b",".join(self.rng.choice(self.rng.choice(kinds)) for _ in range(count))

    def place(self, message: bytes) -> int:
        """Return a place in a message, its end included."""
        return self.rng.randint(0, len(message))

    def stretch(self, message: bytes) -> tuple[int, int]:
        """Return two places in a message, mostly close to each other."""
        start = self.place(message)
        return start, min(len(message), start + self.rng.choice((1, 1, 2, 4, 8, 50)))

    def other(self) -> bytes:
        """Return another message to splice with."""
        return self.valid() if self._headers or self._corpus else self.noise()


def _flip(make: MessageMaker, message: bytes) -> bytes:
    if not message:
        return message
    place = make.rng.randrange(len(message))
    return message[:place] + bytes([message[place] ^ 1 << make.rng.randrange(8)]) + message[place + 1 :]


def _replace(make: MessageMaker, message: bytes) -> bytes:
    start, end = make.stretch(message)
    return message[:start] + make.rng.randbytes(end - start) + message[end:]


def _delete(make: MessageMaker, message: bytes) -> bytes:
    start, end = make.stretch(message)
    return message[:start] + message[end:]


def _insert(make: MessageMaker, message: bytes) -> bytes:
    place = make.place(message)
    return message[:place] + make.rng.choice(FRAGMENTS) + message[place:]


def _duplicate(make: MessageMaker, message: bytes) -> bytes:
    start, end = make.stretch(message)
    return message[:end] + message[start:end] * make.rng.choice((1, 1, 2, 30)) + message[end:]


def _splice(make: MessageMaker, message: bytes) -> bytes:
    other = make.other()
    return message[: make.place(message)] + other[make.place(other) :]


def _truncate(make: MessageMaker, message: bytes) -> bytes:
    return message[: make.place(message)]


def _repeat(make: MessageMaker, message: bytes) -> bytes:
    return b";".join([message] * make.rng.choice((2, 3, 8)))[: LONGEST // 10]


def _put_parameters(make: MessageMaker, message: bytes) -> bytes:
    return message.partition(b" ")[0] + b" " + make.parameters()


def _change_number(make: MessageMaker, message: bytes) -> bytes:
    numbers = list(re.finditer(rb"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?", message))
    if not numbers:
        return _put_parameters(make, message)
    found = make.rng.choice(numbers)
    return message[: found.start()] + make.rng.choice(NUMBERS) + message[found.end() :]


def _swap_case(make: MessageMaker, message: bytes) -> bytes:
    start, end = make.stretch(message)
    return message[:start] + message[start:end].swapcase() + message[end:]


_MUTATIONS: tuple[Callable[[MessageMaker, bytes], bytes], ...] = (
    _flip, _flip, _replace, _delete, _delete, _insert, _insert, _duplicate, _splice, _truncate, _repeat,
    _put_parameters, _put_parameters, _change_number, _change_number, _swap_case,
)  # fmt: skip
