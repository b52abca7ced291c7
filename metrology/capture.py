"""Capture: one record of the oscilloscope, raw, with everything needed to compute from it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.trace import Trace, Unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capture:
    """Raw codes of current, of voltage where a channel is wired, and of the marker pod, on one time base."""

    time_base: TimeBase
    """When each sample was taken; time zero is the trigger."""
    current: Trace
    """Current in the supply lead, in ampere at the conductor (probe ratio and turns are in the scale)."""
    marker_pod_counts: NDArray[np.uint8] | None
    """Pod of digital lines, shape (n,), uint8, bit k is line Dk; None where no pod was read."""
    marker_bit: int = 0
    """Which bit of the pod is the marker line, 0 to 7."""
    voltage: Trace | None = None
    """Voltage channel, whose alternating part refines v(t); None where none is wired."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Settings as read back from the instruments, preambles among them."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Identity string of each instrument, by its role."""
    triggered_utc_ns: int | None = None
    """Wall clock of the lab computer about when the record was complete; a label, never used in a computation."""

    def __post_init__(self) -> None:
        n = self.time_base.sample_count
        if self.current.unit is not Unit.AMPERE:
            raise MetrologyError(f"current must be in ampere, got {self.current.unit!r}")
        if self.voltage is not None and self.voltage.unit is not Unit.VOLT:
            raise MetrologyError(f"voltage must be in volt, got {self.voltage.unit!r}")
        if not 0 <= self.marker_bit <= 7:
            raise MetrologyError(f"marker_bit must lie in 0..7, got {self.marker_bit!r}")
        lengths = {"current": self.current.counts.size}
        if self.voltage is not None:
            lengths["voltage"] = self.voltage.counts.size
        if self.marker_pod_counts is not None:
            lengths["marker_pod"] = self.marker_pod_counts.size
            self.marker_pod_counts.flags.writeable = False
        wrong = {name: size for name, size in lengths.items() if size != n}
        if wrong:
            raise MetrologyError(f"every trace must hold the time base's {n} samples, got {wrong}")

    def marker_levels(self) -> NDArray[np.bool_] | None:
        """Return the marker line, shape (n,), bool; None where no pod was read."""
        if self.marker_pod_counts is None:
            return None
        return np.asarray((self.marker_pod_counts & np.uint8(1 << self.marker_bit)) != 0, dtype=np.bool_)
