"""Import facts: from what file a capture was made, by what instrument, and how; kept in the capture itself."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from daemon.imports.stated_accuracy import StatedAccuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFacts:
    """All that a result computed from an imported capture needs beside the capture."""

    file: str
    """Name of the file or folder, without the way to it."""
    sha256: str
    """Checksum of the file; of an EnergyRunner folder that of its energies."""
    size_bytes: int
    """Length of that file, in bytes."""
    format: str
    """Format that it was read as."""
    identity: str
    """What recorded it, as far as the file or the person says."""
    is_unit: bool
    """The identity names one unit and not a model, so that two recordings of it share its errors."""
    sample_rate_hz: float
    """Rate of the file, in hertz."""
    samples_per_point: int
    """Samples of the file in each sample of the capture, which is their mean."""
    means: bool
    """The instrument integrates over each sample; False: it takes points."""
    windows: str
    """By what windows were found: `marker`, `given` or `step`."""
    window_count: int
    """Windows in all captures of the run."""
    images_per_window: int
    """Images in each window."""
    edge_limit_s: float
    """How far an edge of a window may be off beside half a sample, in seconds."""
    rounding_a: float
    """Bound on what 16 bits do to a mean current, in amperes."""
    rounding_v: float
    """Bound on what they do to a voltage, in volts."""
    has_current: bool
    """False: the instrument gave energy alone, and the current is that energy at the voltage that was given."""
    accuracy: StatedAccuracy
    """What is known of the instrument's errors."""
    no_idle: str = ""
    """Why what lies before the first window is no idle stretch; empty where it is one."""
    idle_limit_w: float = 0.0
    """How far the power just before the first window may lie from the idle stretch's mean, in watts."""
    unexplained_part: float = 0.0
    """Largest part of a stretch's power that the product of current and voltage leaves out, 0 to 1: not zero only where
    current changes its sign within a sample of the capture."""
    repeated_samples: int = 0
    """Samples repeated before a window that begins with the file, and after one that ends with it."""

    def document(self) -> dict[str, Any]:
        """Return them as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "ImportFacts":
        """Build from such values."""
        return cls(**{**document, "accuracy": StatedAccuracy.of(document["accuracy"])})
