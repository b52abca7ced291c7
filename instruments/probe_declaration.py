"""Probe declaration: what a current probe or a shunt is, by its data sheet, since it cannot say so itself."""

import math
from dataclasses import dataclass

from instruments.errors import SettingRefused

MOST_A = 1e5
"""Current that no probe measures any more."""
_MOST = {"gain_v_per_a": 1e4, "bandwidth_hz": 1e11}
"""The same of other numbers: beyond it somebody has mistaken the unit."""
MODEL_LENGTH = 40
"""Most characters of a model's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRange:
    """One range of a probe, or a shunt with its amplifier; every limit is one at the jaw, for one turn."""

    gain_v_per_a: float
    """Volt at the connector for one ampere in the jaw; for a bare shunt its resistance in ohms."""
    gain_accuracy: float
    """Largest error of the gain, as a fraction of the reading."""
    zero_accuracy_a: float
    """Largest reading at no current, in ampere."""
    peak_current_a: float
    """Largest current that the range measures, in ampere."""
    bandwidth_hz: float
    """Frequency at which the gain has fallen by 3 dB, in hertz."""
    noise_a_rms: float = 0.0
    """Noise over that bandwidth, in ampere."""

    def __post_init__(self) -> None:
        for name in ("gain_v_per_a", "peak_current_a", "bandwidth_hz"):
            _check(name, getattr(self, name), above_zero=True)
        for name in ("gain_accuracy", "zero_accuracy_a", "noise_a_rms"):
            _check(name, getattr(self, name), above_zero=False)
        if self.gain_accuracy >= 1:
            raise refused(
                "gain_accuracy", f"must be a fraction below 1, such as 0.03 for 3 %, got {self.gain_accuracy!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDeclaration:
    """A model of probe, with the ranges of its switch."""

    model: str
    """Name, for the record."""
    ranges: tuple[ProbeRange, ...]
    """Ranges, each with a gain of its own; a shunt has one."""
    max_turns: int = 100
    """How often the conductor may pass through the jaw; 1 for a shunt, which has none."""

    def __post_init__(self) -> None:
        if not (isinstance(self.model, str) and self.model.isprintable() and 1 <= len(self.model) <= MODEL_LENGTH):
            raise refused("model", f"must be 1..{MODEL_LENGTH} printable characters, got {self.model!r}")
        if not self.ranges or len({one.gain_v_per_a for one in self.ranges}) != len(self.ranges):
            raise refused("range", "must be there at least once, and no two of one gain_v_per_a")
        if isinstance(self.max_turns, bool) or not isinstance(self.max_turns, int) or not 1 <= self.max_turns <= 100:
            raise refused("max_turns", f"must be a whole number 1..100, got {self.max_turns!r}")

    def at(self, gain_v_per_a: float) -> ProbeRange:
        """Return the range of a gain in volt per ampere.

        Raises:
            SettingRefused: the probe has no such range.
        """
        for one in self.ranges:
            if math.isclose(one.gain_v_per_a, gain_v_per_a, rel_tol=1e-9):
                return one
        known = " or ".join(f"{one.gain_v_per_a:g}" for one in self.ranges)
        raise refused("range_v_per_a", f"must be {known} V/A for {self.model}, got {gain_v_per_a!r}")


def _check(name: str, value: object, *, above_zero: bool) -> None:
    most = _MOST.get(name, MOST_A)
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or not 0 <= value <= most or (above_zero and value == 0):  # type: ignore[operator]
        least = " above 0" if above_zero else ", 0 or more"
        raise refused(name, f"must be a finite number{least} and at most {most:g}, got {value!r}")


def refused(name: str, text: str) -> SettingRefused:
    """Return the error for a declaration that cannot be."""
    return SettingRefused(text, instrument="probe", operation=name)
