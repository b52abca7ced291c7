"""Conditions: the settings of the measuring chain that a certificate was made with, and holds for."""

import math
from collections.abc import Collection
from dataclasses import dataclass, fields

from calibration.errors import BadCertificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Settings of current probe and oscilloscope channel; where one differs, a certificate says nothing."""

    channel: int
    """Number of the oscilloscope's channel, 1 to 4: each has a gain of its own."""
    scale_a_per_div: float
    """Amperes per division at the conductor; with range and turns it gives the volts per division."""
    offset_a: float
    """Current at the centre of the screen, in amperes."""
    probe_range_v_per_a: float
    """Position of the probe's range switch, in volts per ampere."""
    turns: int
    """Turns of the conductor through the probe's jaw, at least 1."""
    acquisition_type: str
    """Acquisition type as the oscilloscope answers it, such as `NORM`."""

    def __post_init__(self) -> None:
        if not 1 <= self.channel <= 4:
            raise BadCertificate(f"channel must lie in 1..4, got {self.channel!r}")
        if self.turns < 1:
            raise BadCertificate(f"turns must be at least 1, got {self.turns!r}")
        for name in ("scale_a_per_div", "probe_range_v_per_a"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise BadCertificate(f"{name} must be finite and > 0, got {value!r}")
        if not math.isfinite(self.offset_a):
            raise BadCertificate(f"offset_a must be finite, got {self.offset_a!r}")

    @property
    def volts_per_div(self) -> float:
        """Sensitivity at the oscilloscope's connector, in volts per division."""
        return self.scale_a_per_div * self.probe_range_v_per_a * self.turns

    def differences(self, other: "Conditions", *, only: Collection[str] | None = None) -> tuple[str, ...]:
        """Return each setting in which the other conditions differ, as text for people; empty where none does.

        Args:
            other: the other conditions.
            only: settings that matter; None: all of them.
        """
        found = []
        for name in (field.name for field in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            if (only is None or name in only) and not _same(mine, theirs):
                found.append(f"{name} is {theirs!r}, not {mine!r}")
        return tuple(found)


def _same(mine: object, theirs: object) -> bool:
    """Compare as an instrument's answer allows: its nine digits, not the last bit of a float."""
    if isinstance(mine, float) and isinstance(theirs, int | float):
        return math.isclose(mine, theirs, rel_tol=1e-6, abs_tol=1e-9)
    return mine == theirs
