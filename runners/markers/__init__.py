"""Marker outputs: the line that is high while a batch runs."""

from runners.markers.factory import marker_from_url
from runners.markers.gpio import GpioMarker
from runners.markers.marker import MarkerOutput, PlayingMarker
from runners.markers.none import NoMarker
from runners.markers.simulated import SimulatedMarker

__all__ = ["GpioMarker", "MarkerOutput", "NoMarker", "PlayingMarker", "SimulatedMarker", "marker_from_url"]
