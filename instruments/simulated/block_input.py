"""Blocks in what a controller sends: inside one, a newline, a semicolon, a comma or a quote is data."""

import re

_LITERAL = re.compile(r"""("[^"\n]*(?:"|(?=\n)|\Z)|'[^'\n]*(?:'|(?=\n)|\Z)|#[1-9])""")


def literals(text: str) -> list[str]:
    """Return a text in pieces, plain and literal by turns: odd ones are quoted strings or definite-length blocks.

    A quote that is never closed, and a block that is not whole, reach to the end. Bytes are one character each.
    """
    pieces, start, seek = [""], 0, 0
    while (found := _LITERAL.search(text, seek)) is not None:
        end = _block_end(text, found.start()) if found[0].startswith("#") else found.end()
        if end is None:  # `#` and a digit, but no byte count: not a block
            seek = found.end()
            continue
        pieces[-1] = text[start : found.start()]
        pieces += [text[found.start() : end], ""]
        start = seek = min(end, len(text))
    pieces[-1] = text[start:]
    return pieces


def split_messages(received: bytes) -> tuple[list[bytes], bytes]:
    """Return the messages that a newline ended, without it, and the bytes of the one that is not complete."""
    if b"#" not in received:
        *complete, rest = received.split(b"\n")
        return complete, rest
    parts = split_outside(received.decode("latin-1"), "\n")
    return [part.encode("latin-1") for part in parts[:-1]], parts[-1].encode("latin-1")


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a separator outside of literals."""
    parts = [""]
    for k, piece in enumerate(literals(text)):
        first, *others = [piece] if k % 2 else piece.split(separator)
        parts[-1] += first
        parts += others
    return parts


def _block_end(text: str, start: int) -> int | None:
    digits = int(text[start + 1])
    count = text[start + 2 : start + 2 + digits]
    if len(count) < digits and (not count or count.isdecimal()) and len(text) == start + 2 + len(count):
        return len(text)  # its byte count has not come whole
    if not (count.isascii() and count.isdecimal()):
        return None
    return start + 2 + digits + int(count)
