"""GPIO marker: a line of a GPIO character device, through gpiod (libgpiod 2)."""

import contextlib
import re
from pathlib import Path
from typing import Any

from runners.errors import MarkerError
from runners.markers.refusal import refusal_text

_URL = re.compile(r"gpio:(?P<chip>/.+):(?P<line>\d+)")


class GpioMarker:
    """One output line. It is low from the moment it is opened, and again when it is closed."""

    wired = True

    def __init__(self, url: str) -> None:
        """Open `gpio:/dev/gpiochip0:17`: the device, and the line's offset on it."""
        self.url = url
        match = _URL.fullmatch(url)
        if match is None:
            raise MarkerError(url, "read the address", "want gpio:DEVICE:LINE, such as gpio:/dev/gpiochip0:17")
        self._chip, self._line = match["chip"], int(match["line"])
        self._request = self._open()

    def set(self, level: bool) -> None:
        """Set the line; this takes a few microseconds."""
        if self._request is None:
            raise MarkerError(self.url, "set a level", "the marker is closed")
        try:
            self._request.set_value(self._line, self._high if level else self._low)
        except OSError as error:
            raise MarkerError(self.url, f"set level {int(level)}", str(error)) from error

    def close(self) -> None:
        """Set the line low and give it back to the system."""
        if self._request is None:
            return
        try:
            with contextlib.suppress(MarkerError):  # what has gone away cannot be set any more
                self.set(False)
        finally:
            request, self._request = self._request, None
            request.release()

    def _open(self) -> Any:
        try:
            import gpiod
        except ImportError:
            hint = 'the gpiod package is missing: pip install "joulebench[board]"'
            raise MarkerError(self.url, "open the line", hint) from None
        self._high, self._low = gpiod.line.Value.ACTIVE, gpiod.line.Value.INACTIVE
        settings = gpiod.LineSettings(direction=gpiod.line.Direction.OUTPUT, output_value=self._low)
        try:
            return gpiod.request_lines(self._chip, consumer="joulebench-marker", config={self._line: settings})
        except ValueError as error:
            raise MarkerError(self.url, "open the line", f"{error}; `gpioinfo` lists the lines") from error
        except OSError as error:
            problem = refusal_text(
                error, Path(self._chip), missing=_chips_here(), busy="`gpioinfo` shows who has the line"
            )
            raise MarkerError(self.url, "open the line", problem) from error


def _chips_here() -> str:
    """Return which GPIO devices this machine has, and what to do without any."""
    chips = sorted(str(path) for path in Path("/dev").glob("gpiochip*"))
    if chips:
        return f"this machine has {', '.join(chips)}; `gpioinfo` lists their lines"
    return "this machine has no GPIO device (/dev/gpiochip*); an older kernel may have sysfs:NUMBER instead"
