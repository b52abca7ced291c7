"""Serial marker: a control line of a serial port, RTS or DTR, for a board whose GPIO nobody can reach."""

import contextlib
import os
import re
import struct
from collections.abc import Callable
from pathlib import Path

from runners.errors import MarkerError
from runners.markers.refusal import refusal_text

_URL = re.compile(r"serial:(?P<port>/.+?):(?P<line>rts|dtr)(?P<inverted>:inverted)?")

Ioctl = Callable[[int, int, bytes], object]
"""As `fcntl.ioctl`."""


class SerialMarker:
    """RTS or DTR of one port. Opening a port raises both lines for a moment, before it is set low.

    At RS-232 levels a line that is asserted is high. Adapters with logic levels mostly drive `RTS#`, which is low then:
    `inverted` is for those.
    """

    wired = True

    def __init__(self, url: str, *, ioctl: Ioctl | None = None) -> None:
        """Open `serial:/dev/ttyUSB0:rts`, `serial:/dev/ttyS0:dtr`, or either with `:inverted` behind it."""
        import fcntl
        import termios

        self.url = url
        match = _URL.fullmatch(url)
        if match is None:
            problem = "want serial:PORT:rts or serial:PORT:dtr, such as serial:/dev/ttyUSB0:rts, or with :inverted"
            raise MarkerError(url, "read the address", problem)
        self._port = Path(match["port"])
        self._ioctl: Ioctl = ioctl or fcntl.ioctl
        self._bit = struct.pack("i", {"rts": termios.TIOCM_RTS, "dtr": termios.TIOCM_DTR}[match["line"]])
        assert_line, release_line = termios.TIOCMBIS, termios.TIOCMBIC
        self._requests = (assert_line, release_line) if match["inverted"] else (release_line, assert_line)
        self._fd: int | None = self._open()

    def set(self, level: bool) -> None:
        """Set the line: one call of the system, and the port's own way to its pin (over USB up to a millisecond)."""
        if self._fd is None:
            raise MarkerError(self.url, "set a level", "the marker is closed")
        try:
            self._ioctl(self._fd, self._requests[level], self._bit)
        except OSError as error:
            raise MarkerError(self.url, f"set level {int(level)}", str(error)) from error

    def close(self) -> None:
        """Set the line low and close the port."""
        if self._fd is None:
            return
        with contextlib.suppress(MarkerError):  # what has gone away cannot be set any more
            self.set(False)
        fd, self._fd = self._fd, None
        os.close(fd)

    def _open(self) -> int:
        try:
            # Not blocking: an open would else wait for the other side's carrier.
            fd = os.open(self._port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            missing = "is the adapter plugged in (`ls /dev/tty*`)?"
            problem = refusal_text(error, self._port, missing=missing, busy="another program has the port")
            raise MarkerError(self.url, "open the port", problem) from error
        try:
            _take_control(fd)
            self._ioctl(fd, self._requests[False], self._bit)
        except OSError as error:
            os.close(fd)
            problem = f"{self._port} has no control lines that could be set ({error}); want a serial port"
            raise MarkerError(self.url, "open the port", problem) from error
        return fd


def _take_control(fd: int) -> None:
    """Take both lines from the flow control, and have them stay as they are when the port is closed."""
    import termios

    try:
        settings = termios.tcgetattr(fd)
        settings[2] = (settings[2] | termios.CLOCAL) & ~(termios.CRTSCTS | termios.HUPCL)
        termios.tcsetattr(fd, termios.TCSANOW, settings)
    except termios.error as error:
        raise OSError(*error.args) from error
