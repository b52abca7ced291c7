"""Marker outputs: the line that is high while a batch runs."""

from runners.markers.factory import MARKER_FORMS, marker_from_url
from runners.markers.gpio import GpioMarker
from runners.markers.marker import MarkerOutput, PlayingMarker
from runners.markers.none import NoMarker
from runners.markers.serial import SerialMarker
from runners.markers.simulated import SimulatedMarker
from runners.markers.sysfs import SysfsMarker

__all__ = [
    "MARKER_FORMS",
    "GpioMarker",
    "MarkerOutput",
    "NoMarker",
    "PlayingMarker",
    "SerialMarker",
    "SimulatedMarker",
    "SysfsMarker",
    "marker_from_url",
]
