"""sysfs marker: a GPIO line of a kernel that is too old for libgpiod 2, through files below /sys/class/gpio.

The interface is described in the kernel's Documentation/admin-guide/gpio/sysfs.rst; newer kernels may lack it.
"""

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from runners.errors import MarkerError
from runners.markers.refusal import refusal_text

SYSFS = Path("/sys/class/gpio")
APPEARS_S = 2.0
"""Longest wait for the line's files, and for udev to hand them to their group; it takes some milliseconds."""

_URL = re.compile(r"sysfs:(?P<number>\d{1,6})")
_NUMBERS = "numbers are listed in /sys/kernel/debug/gpio (as root), or count from a chip's `base` file"


class SysfsMarker:
    """One output line. It is low from the moment it is opened, and again when it is closed.

    It stays exported then: given back, some controllers would let it float, and the marker must be low.
    """

    wired = True

    def __init__(self, url: str, *, root: Path = SYSFS) -> None:
        """Open `sysfs:398`, by the number that the kernel gave the line."""
        self.url = url
        match = _URL.fullmatch(url)
        if match is None:
            raise MarkerError(url, "read the address", "want sysfs:GPIO_NUMBER, such as sysfs:398")
        self._root = root
        self._line = root / f"gpio{int(match['number'])}"
        self._fd: int | None = self._open(match["number"])

    def set(self, level: bool) -> None:
        """Set the line: one write to a file that is open."""
        if self._fd is None:
            raise MarkerError(self.url, "set a level", "the marker is closed")
        try:
            os.pwrite(self._fd, b"1" if level else b"0", 0)
        except OSError as error:
            raise MarkerError(self.url, f"set level {int(level)}", str(error)) from error

    def close(self) -> None:
        """Set the line low and close its file."""
        if self._fd is None:
            return
        with contextlib.suppress(MarkerError):  # what has gone away cannot be set any more
            self.set(False)
        fd, self._fd = self._fd, None
        os.close(fd)

    def _open(self, number: str) -> int:
        export = self._root / "export"
        if not export.exists():
            problem = f"this machine has no GPIO in {self._root}; where it has /dev/gpiochip*, use gpio:DEVICE:LINE"
            raise MarkerError(self.url, "open the line", problem)
        if not self._line.exists():
            self._write(export, number)
        self._until_it_is_ours()
        if (inverted := self._line / "active_low").exists():
            self._write(inverted, "0")
        self._write(self._line / "direction", "low")  # an output, and low at once: no pulse between the two
        return self._attempt(self._line / "value", lambda path: os.open(path, os.O_WRONLY))

    def _until_it_is_ours(self) -> None:
        """Wait until the line's files may be written; the files come at once, their group a moment later, from udev."""
        end_s = time.monotonic() + APPEARS_S
        names = ("direction", "value")
        while not all(os.access(self._line / name, os.W_OK) for name in names) and time.monotonic() < end_s:
            time.sleep(0.01)

    def _write(self, path: Path, text: str) -> None:
        self._attempt(path, lambda it: it.write_text(text))

    def _attempt(self, path: Path, action: Callable[[Path], int]) -> int:
        try:
            return action(path)
        except OSError as error:
            problem = refusal_text(error, path, missing=_NUMBERS, busy="a driver of the kernel has the line")
            if error.errno == errno.EINVAL:  # so says the kernel where no chip has this number
                problem += f"; no chip has this number: {_NUMBERS}"
            raise MarkerError(self.url, "open the line", problem) from error
