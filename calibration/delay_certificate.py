"""Delay certificate: how long after the marker's edge the current's edge comes, for one board."""

from dataclasses import dataclass
from typing import ClassVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from metrology.estimate import Estimate

SETTINGS = ("channel", "probe_range_v_per_a", "acquisition_type")
"""Settings that delay the current against the marker: the channel, the probe's amplifier, the points' making."""


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

    @property
    def instrument_roles(self) -> tuple[str, ...]:
        """Those that delay the current against the marker."""
        return ("oscilloscope", "probe")

    def concerns(self, circumstances: Circumstances) -> bool:
        """Return whether it is about the board that was measured."""
        return self.board == circumstances.board

    def differences(self, circumstances: Circumstances) -> tuple[str, ...]:
        """Return in what a measurement differs from what it was made with, as far as it delays an edge."""
        others = super(DelayCertificate, self).differences(circumstances)
        settings = self.conditions.differences(circumstances.conditions, only=SETTINGS)
        if self.board == circumstances.board:
            return (*settings, *others)
        return (f"board is {circumstances.board!r}, not {self.board!r}", *settings, *others)
