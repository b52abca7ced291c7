"""Current probe: a probe or shunt on an oscilloscope channel. It has no identity, so what it is must be declared."""

from dataclasses import dataclass

from instruments.errors import SettingRefused
from instruments.probe_1146b import PROBE_1146B
from instruments.probe_declaration import MOST_A, ProbeDeclaration


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
        for name, most in (("gain_fraction_limit", 1.0), ("zero_limit_a", MOST_A), ("noise_a_rms", MOST_A)):
            value = getattr(self, name)
            if not 0 <= value < most:
                raise _refused(name, value, f"0 or more, and below {most:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentProbe:
    """A declared probe: the position of its switch and the turns through its jaw decide its scale."""

    declaration: ProbeDeclaration = PROBE_1146B
    """What kind of probe it is."""
    range_v_per_a: float = 0.1
    """Position of its switch: the gain of one of the declared ranges, for a 1146B 0.1 or 0.01 V/A."""
    turns: int = 1
    """How often the conductor passes through the jaw: n turns make the zero error n times smaller."""
    zero_a: float = 0.0
    """Declared reading at no current, in ampere at the conductor."""
    accuracy: ProbeAccuracy | None = None
    """Accuracy at the jaw; None takes the declared one of the range."""

    def __post_init__(self) -> None:
        self.declaration.at(self.range_v_per_a)
        if not 1 <= self.turns <= self.declaration.max_turns:
            raise _refused("turns", self.turns, f"1..{self.declaration.max_turns}")
        if not abs(self.zero_a) <= self.peak_current_a:
            raise _refused("zero_a", self.zero_a, f"finite, and within the range of {self.peak_current_a:g} A")

    @property
    def model(self) -> str:
        """Model, for the record."""
        return self.declaration.model

    @property
    def bandwidth_hz(self) -> float:
        """Frequency at which the gain has fallen by 3 dB, in hertz."""
        return self.declaration.at(self.range_v_per_a).bandwidth_hz

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
        return self.declaration.at(self.range_v_per_a).peak_current_a / self.turns

    @property
    def _at_jaw(self) -> ProbeAccuracy:
        if self.accuracy is not None:
            return self.accuracy
        declared = self.declaration.at(self.range_v_per_a)
        return ProbeAccuracy(
            gain_fraction_limit=declared.gain_accuracy,
            zero_limit_a=declared.zero_accuracy_a,
            noise_a_rms=declared.noise_a_rms,
        )


def _refused(name: str, value: object, bound: str) -> SettingRefused:
    return SettingRefused(f"must be {bound}, got {value!r}", instrument="probe", operation=name)
