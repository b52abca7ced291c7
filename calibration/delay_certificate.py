"""Delay certificate: how long after the marker's edge the current's edge comes, for one board."""

from dataclasses import dataclass
from typing import ClassVar

from calibration.certificate import Certificate
from calibration.conditions import Conditions
from metrology.estimate import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayCertificate(Certificate):
    """Marker latency of a board and delay of the probe together: a window's edge is the marker's edge plus this."""

    KIND: ClassVar[str] = "delay"

    board: str
    """Name of the board."""
    rise_delay_s: Estimate
    """From the marker's rising edge to the onset of the current's rise, in seconds; negative where the marker is late.
    The settling of the board's input filter is kept apart."""
    fall_delay_s: Estimate
    """The same from the falling edge to the onset of the fall, in seconds."""
    settling_s: Estimate
    """Time constant with which the line current follows, in seconds."""
    conditions: Conditions
    """Settings that it was made with."""
