"""Current probe: a 1146B on an oscilloscope channel. It has no identity, so what it is must be declared."""

import math
from dataclasses import dataclass

from instruments.errors import SettingRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAccuracy:
    """Limits and noise of a probe at its jaw, as its data sheet gives them."""

    gain_fraction_limit: float
    """Largest error of the gain, as a fraction of the reading."""
    zero_limit_a: float
    """Largest reading at no current, in ampere in the jaw."""
    noise_a_rms: float
    """Noise over the probe's bandwidth, in ampere in the jaw."""

    def __post_init__(self) -> None:
        for name in ("gain_fraction_limit", "zero_limit_a", "noise_a_rms"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise _refused(name, value, "a finite number, 0 or more")


DATA_SHEET = {
    0.1: ProbeAccuracy(gain_fraction_limit=0.03, zero_limit_a=0.05, noise_a_rms=0.030),
    0.01: ProbeAccuracy(gain_fraction_limit=0.04, zero_limit_a=0.05, noise_a_rms=0.048),
}
"""Accuracy of the 1146B by range in V/A (reference 3)."""
PEAK_CURRENT_A = {0.1: 10.0, 0.01: 100.0}
"""Largest current in the jaw by range in V/A."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentProbe:
    """A declared probe: the position of its switch and the turns through its jaw decide its scale."""

    model: str = "1146B"
    """Model, for the record."""
    range_v_per_a: float = 0.1
    """Position of the slide switch: 0.1 or 0.01 V/A."""
    turns: int = 1
    """How often the conductor passes through the jaw: n turns make the zero error n times smaller."""
    zero_a: float = 0.0
    """Declared reading at no current, in ampere at the conductor."""
    accuracy: ProbeAccuracy | None = None
    """Accuracy at the jaw; None takes the data sheet's for the range."""

    def __post_init__(self) -> None:
        if self.range_v_per_a not in DATA_SHEET:
            raise _refused("range_v_per_a", self.range_v_per_a, "0.1 or 0.01 V/A")
        if not 1 <= self.turns <= 100:
            raise _refused("turns", self.turns, "1..100")
        if not math.isfinite(self.zero_a):
            raise _refused("zero_a", self.zero_a, "finite")

    @property
    def probe_ratio(self) -> float:
        """Ampere at the conductor for one volt at the connector: what the oscilloscope's channel is told."""
        return 1.0 / (self.range_v_per_a * self.turns)

    @property
    def gain_fraction_limit(self) -> float:
        """Largest error of the gain, as a fraction of the reading."""
        return self._at_jaw.gain_fraction_limit

    @property
    def zero_limit_a(self) -> float:
        """Largest reading at no current, in ampere at the conductor."""
        return self._at_jaw.zero_limit_a / self.turns

    @property
    def noise_a_rms(self) -> float:
        """Noise, in ampere at the conductor."""
        return self._at_jaw.noise_a_rms / self.turns

    @property
    def peak_current_a(self) -> float:
        """Largest current that the probe measures, in ampere at the conductor."""
        return PEAK_CURRENT_A[self.range_v_per_a] / self.turns

    @property
    def _at_jaw(self) -> ProbeAccuracy:
        return self.accuracy or DATA_SHEET[self.range_v_per_a]


def _refused(name: str, value: object, bound: str) -> SettingRefused:
    return SettingRefused(f"must be {bound}, got {value!r}", instrument="probe", operation=name)
