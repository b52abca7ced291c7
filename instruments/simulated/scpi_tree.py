"""SCPI command tree: headers to handlers, with short and long mnemonics, optional nodes and suffixes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from instruments.simulated.error_queue import ScpiError


@dataclass(frozen=True, slots=True)
class Call:
    """One command as received."""

    suffixes: tuple[int, ...]
    """Numbers in the header, one for each `<n>` of its pattern; 1 where it was left out."""
    arguments: tuple[str, ...]
    """Parameters, blanks around them removed."""

    @property
    def channel(self) -> int:
        """The header's first number."""
        return self.suffixes[0]

    def text(self) -> str:
        """Return the only parameter.

        Raises:
            ScpiError: there is none, or more than one.
        """
        if not self.arguments:
            raise ScpiError(-109)
        if len(self.arguments) > 1:
            raise ScpiError(-108)
        return self.arguments[0]


Write = Callable[[Call], None]
Query = Callable[[Call], str | bytes]


@dataclass(slots=True)
class _Node:
    long: str = ""
    short: str = ""
    numbered: bool = False
    children: list["_Node"] = field(default_factory=list)
    write: Write | None = None
    query: Query | None = None

    def matches(self, name: str, number: str) -> bool:
        return name in (self.long, self.short) and (self.numbered or not number)


Path = tuple[tuple[str, str], ...]
"""Mnemonics of a header as (letters, digits)."""

_PART = re.compile(r"(\[?):?(\*?[A-Za-z]+)(<n>)?(\]?)")
_MNEMONIC = re.compile(r"(\*?[A-Z]+)([0-9]{0,9})\Z")


class ScpiTree:
    """All headers of one instrument."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(self, pattern: str, *, write: Write | None = None, query: Query | None = None) -> None:
        """Add a header such as `CHANnel<n>:SCALe` or `VOLTage[:LEVel]`: capitals are the short form."""
        for parts in _variants(pattern):
            node = self._root
            for long, numbered in parts:
                node = _child(node, long, numbered)
            node.write = write or node.write
            node.query = query or node.query

    def find(self, path: Path, *, is_query: bool) -> tuple[Write | Query, tuple[int, ...]]:
        """Return the handler of a header and the header's numbers.

        Raises:
            ScpiError: -113, no such header.
        """
        for node, suffixes in _ends(self._root, path):
            handler = node.query if is_query else node.write
            if handler is not None:
                return handler, suffixes
        raise ScpiError(-113)


def parse_header(header: str) -> Path:
    """Return the mnemonics of a header without its leading colon and question mark.

    Raises:
        ScpiError: -113, it cannot be a header.
    """
    parts = [_MNEMONIC.match(part) for part in header.upper().split(":")]
    if not all(parts):
        raise ScpiError(-113)
    return tuple((part[1], part[2]) for part in parts if part)


def _ends(node: _Node, path: Path) -> Iterator[tuple[_Node, tuple[int, ...]]]:
    """Yield each node that a header can mean: `DIG` is short for both `DIGitize` and `DIGital<n>`."""
    if not path:
        yield node, ()
        return
    name, number = path[0]
    for child in node.children:
        if child.matches(name, number):
            own = (int(number or 1),) if child.numbered else ()
            yield from ((end, own + others) for end, others in _ends(child, path[1:]))


def _child(node: _Node, mnemonic: str, numbered: bool) -> _Node:
    long = mnemonic.upper()
    for child in node.children:
        if child.long == long and child.numbered == numbered:
            return child
    short = "".join(letter for letter in mnemonic if not letter.islower())
    node.children.append(_Node(long=long, short=short, numbered=numbered))
    return node.children[-1]


def _variants(pattern: str) -> Iterator[list[tuple[str, bool]]]:
    """Yield the pattern with and without each of its optional nodes."""
    variants: list[list[tuple[str, bool]]] = [[]]
    for optional, mnemonic, numbered, _ in _PART.findall(pattern):
        longer = [[*variant, (mnemonic, bool(numbered))] for variant in variants]
        variants = [*variants, *longer] if optional else longer
    yield from variants
