"""Questions only: a connection that carries questions to a supply, and refuses every command."""

import re

from instruments.connection import Connection, Link
from instruments.errors import SettingRefused

HARMLESS = frozenset({"SYSTEM:REMOTE"})
"""Commands that pass, in capitals: what a supply on a serial line must be told before it answers at all."""


class QuestionsOnly:
    """Stands before another connection in a dry run, so that no defect of a driver can change a live output."""

    def __init__(self, inner: Connection) -> None:
        self._inner = inner

    @property
    def link(self) -> Link:
        """What is known of the connection."""
        return self._inner.link

    @link.setter
    def link(self, link: Link) -> None:
        self._inner.link = link

    @property
    def resource(self) -> str:
        """VISA resource name."""
        return self._inner.resource

    @property
    def role(self) -> str:
        """Role of the instrument."""
        return self._inner.role

    @property
    def wait_s(self) -> float:
        """How long one answer may take, in seconds."""
        return self._inner.wait_s

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line."""
        return self._inner.is_serial

    def open(self) -> None:
        """Open it."""
        self._inner.open()

    def mend(self) -> None:
        """Bring it back into step."""
        self._inner.mend()

    def drain(self) -> bool:
        """Throw away what still comes."""
        return self._inner.drain()

    def clear(self) -> bool:
        """Clear the instrument's buffers, which leaves its settings alone."""
        return self._inner.clear()

    def write(self, message: bytes) -> None:
        """Send a question.

        Raises:
            SettingRefused: it is a command.
        """
        text = message.decode("ascii", "replace").strip()
        if not all(_is_harmless(unit) for unit in re.split(r"[;\r\n]", text)):
            refusal = "a dry run sends no command to the supply; this is a defect, please report it"
            raise SettingRefused(refusal, instrument=self.role, operation=text[:40])
        self._inner.write(message)

    def read(self) -> bytes:
        """Return one answer."""
        return self._inner.read()

    def read_within(self, wait_s: float) -> bytes:
        """Return one answer that may take this long."""
        return self._inner.read_within(wait_s)

    def read_block(self, operation: str) -> bytes:
        """Return the bytes of the block that comes next."""
        return self._inner.read_block(operation)

    def break_off(self) -> None:
        """End a read that hangs."""
        self._inner.break_off()

    def close(self) -> None:
        """Close it."""
        self._inner.close()


def _is_harmless(unit: str) -> bool:
    header = (unit.split(maxsplit=1) or [""])[0].upper()
    return header.endswith("?") or header.lstrip(":") in HARMLESS
