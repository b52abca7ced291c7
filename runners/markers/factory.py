"""Marker factory: the marker output that an address names."""

from runners.errors import MarkerError
from runners.markers.gpio import GpioMarker
from runners.markers.marker import MarkerOutput
from runners.markers.none import NoMarker
from runners.markers.simulated import SimulatedMarker


def marker_from_url(url: str) -> MarkerOutput:
    """Return the marker that a URL names: `gpio:/dev/gpiochip0:17`, `tcp://HOST:PORT` (simulated) or `none`.

    Raises:
        MarkerError: The URL names none, or the line cannot be opened.
    """
    scheme = url.partition(":")[0]
    match scheme:
        case "none":
            return NoMarker()
        case "gpio":
            return GpioMarker(url)
        case "tcp":
            return SimulatedMarker(url)
        case _:
            raise MarkerError(url, "open it", "want gpio:DEVICE:LINE, tcp://HOST:PORT (simulated) or none")
