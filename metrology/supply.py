"""Supply conditions: what the supply said of itself around one capture."""

import math
from dataclasses import dataclass

from metrology.errors import MetrologyError


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyConditions:
    """Read-back and regulation, from before the trigger to after the record."""

    idle_voltage_v: float
    """Voltage read back before the run, in volts."""
    loaded_voltage_v: float
    """Voltage read back while the board ran, in volts."""
    constant_voltage: bool
    """The output was in constant voltage at every reading and left it at no moment between."""
    tripped: bool
    """A protection acted."""
    output_on: bool
    """The output was on at every reading."""
    idle_current_a: float | None = None
    """Current read back before the run, in amperes; None where it was not kept."""
    loaded_current_a: float | None = None
    """Current read back while the board ran, in amperes; None where no two readings under load agreed."""
    loaded_count: int = 2
    """How many readings under load agreed; the least that do where it was not kept."""
    idle_course_a: float = 0.0
    """Readings before the run lay within this of `idle_current_a`, in amperes: idle current is not always steady."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.idle_voltage_v) and math.isfinite(self.loaded_voltage_v)):
            raise MetrologyError(
                f"supply voltages must be finite, got {self.idle_voltage_v!r} and {self.loaded_voltage_v!r} V"
            )
        for current_a in (self.idle_current_a, self.loaded_current_a, self.idle_course_a):
            if current_a is not None and not math.isfinite(current_a):
                raise MetrologyError(f"supply currents must be finite, got {current_a!r} A")
