"""SCPI error queue and the standard texts (reference 1.10)."""

from collections import deque

NO_ERROR = '+0,"No error"'
TEXTS = {
    -102: "Syntax error",
    -104: "Data type error",
    -108: "Parameter not allowed",
    -109: "Missing parameter",
    -113: "Undefined header",
    -131: "Invalid suffix",
    -141: "Invalid character data",
    -161: "Invalid block data",
    -221: "Settings conflict",
    -222: "Data out of range",
    -224: "Illegal parameter value",
    -230: "Data corrupt or stale",
    -241: "Hardware missing",
    -310: "System error",
    -350: "Queue overflow",
    -363: "Input buffer overrun",
    -410: "Query INTERRUPTED",
    -420: "Query UNTERMINATED",
    -430: "Query DEADLOCKED",
    511: "RS-232 framing error",
    514: "Command allowed only with RS-232",
    550: "Command not allowed in local",
}
"""Text of each error by its code."""


class ScpiError(Exception):
    """A command that an instrument refuses."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f'{code},"{TEXTS[code]}"')


class ErrorQueue:
    """First in, first out, of fixed depth; when it is full its last entry becomes the overflow."""

    def __init__(self, depth: int) -> None:
        self._depth = depth
        self._entries: deque[int] = deque()

    def push(self, code: int) -> None:
        """Add an error by its code."""
        if len(self._entries) < self._depth:
            self._entries.append(code)
        else:
            self._entries[-1] = -350

    def pop(self) -> str:
        """Remove the oldest error and return it as `:SYSTem:ERRor?` answers it."""
        if not self._entries:
            return NO_ERROR
        code = self._entries.popleft()
        return f'{code:+d},"{TEXTS[code]}"'

    def clear(self) -> None:
        """Empty the queue."""
        self._entries.clear()
