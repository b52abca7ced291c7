"""Marker factory: the marker output that an address names."""

from runners.errors import MarkerError
from runners.markers.gpio import GpioMarker
from runners.markers.marker import MarkerOutput
from runners.markers.none import NoMarker
from runners.markers.serial import SerialMarker
from runners.markers.simulated import SimulatedMarker
from runners.markers.sysfs import SysfsMarker

MARKER_FORMS = (
    "gpio:/dev/gpiochip0:17, sysfs:398 (old kernels), serial:/dev/ttyUSB0:rts (or dtr), "
    "tcp://HOST:PORT (simulated bench) or none"
)
"""Every kind of address, for people."""


def marker_from_url(url: str) -> MarkerOutput:
    """Return the marker that a URL names, in one of `MARKER_FORMS`.

    Raises:
        MarkerError: The URL names none, or the line cannot be opened.
    """
    scheme = url.partition(":")[0]
    match scheme:
        case "none":
            return NoMarker()
        case "gpio":
            return GpioMarker(url)
        case "sysfs":
            return SysfsMarker(url)
        case "serial":
            return SerialMarker(url)
        case "tcp":
            return SimulatedMarker(url)
        case _:
            raise MarkerError(url, "open it", f"want {MARKER_FORMS}")
