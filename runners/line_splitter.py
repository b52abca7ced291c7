"""Line splitter: lines out of a program's raw output, in bounded memory, whatever the program writes."""

import re

LONGEST_LINE = 65536
"""Bytes of a line that are looked at; what follows up to its end is left out."""

_END = re.compile(rb"[\r\n]")  # a progress bar ends its lines with a carriage return


class LineSplitter:
    """Fed with what was read; bytes that are no UTF-8 become replacement characters."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that this completes, without their ends; empty ones are left out."""
        *ended, rest = _END.split(data)
        lines = []
        for part in ended:
            self._keep(part)
            lines += self.flush()
        self._keep(rest)
        return lines

    def flush(self) -> list[str]:
        """Return what has come of a line without its end; nothing where nothing has."""
        line, self._rest = bytes(self._rest), bytearray()
        return [line.decode("utf-8", "replace")] if line else []

    def _keep(self, part: bytes) -> None:
        self._rest += part[: LONGEST_LINE - len(self._rest)]
