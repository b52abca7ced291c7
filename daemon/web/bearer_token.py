"""Token: the secret that control over HTTP asks for."""

import secrets
from hashlib import sha256

SHORTEST = 20
"""Characters that a token must have at least; `openssl rand -hex 32` makes one of 64."""


class Token:
    """Compares in constant time, and never shows itself."""

    __slots__ = ("_digest",)

    def __init__(self, text: str) -> None:
        """Keep a token's digest.

        Raises:
            ValueError: it is too short, or holds what no header can.
        """
        if len(text) < SHORTEST or not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError(f"a token has at least {SHORTEST} printable ASCII characters and no space")
        self._digest = sha256(text.encode()).digest()

    def matches(self, given: str) -> bool:
        """Return whether a text is the token; takes equally long for every wrong one."""
        return secrets.compare_digest(sha256(given.encode()).digest(), self._digest)

    def __repr__(self) -> str:
        return "Token(***)"
