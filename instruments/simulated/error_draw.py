"""Errors of the simulated instruments: none, or drawn once from a seed inside the data sheets' limits."""

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

CHANNELS = (1, 2, 3, 4)


class InstrumentErrors(StrEnum):
    """Where the instruments' systematic errors come from; noise is there in both."""

    EXACT = "exact"
    """Every gain is one, every offset zero, the sample clock right."""
    DATASHEET = "datasheet"
    """Each error drawn uniformly inside its data sheet limit, from the world's seed."""


def _no_errors() -> dict[int, float]:
    return dict.fromkeys(CHANNELS, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnErrors:
    """Each error as a fraction of its data sheet limit, -1 to 1; the physics knows the limits."""

    probe_gain: float = 0.0
    """Of 3 % at 100 mV/A, 4 % at 10 mV/A (reference 3)."""
    probe_zero: float = 0.0
    """Of 50 mA."""
    probe_drift: float = 0.0
    """Of 5 mA, reached slowly."""
    scope_gain: dict[int, float] = field(default_factory=_no_errors)
    """Of 3 %, by channel (reference 1.1)."""
    scope_offset: dict[int, float] = field(default_factory=_no_errors)
    """Of 0.1 div + 2 mV at the input + 1 % of the offset setting, by channel."""
    sample_clock: float = 0.0
    """Of 25 ppm."""
    supply_voltage: float = 0.0
    """Of 0.05 % + 10 mV, programming (reference 2.1)."""
    supply_current: float = 0.0
    """Of 0.2 % + 10 mA, programming."""
    readback_voltage: float = 0.0
    """Of 0.05 % + 5 mV."""
    readback_current: float = 0.0
    """Of 0.15 % + 5 mA."""
    regulation: float = 0.0
    """Of 0.01 % + 3 mV over the rated current; 0 to 1, for no supply's voltage rises under load."""
    lead_resistance: float = 0.0
    """Of 20 % of the declared resistance."""
    marker_rise: float = 0.0
    """Of 100 us; 0 to 1, for no marker rises before its batch begins."""
    marker_fall: float = 0.0
    """The same for its fall and the batch's end."""


def draw_errors(kind: InstrumentErrors, *, seed: int) -> DrawnErrors:
    """Return the errors of a world; the same seed always gives the same ones."""
    if InstrumentErrors(kind) is InstrumentErrors.EXACT:
        return DrawnErrors()
    # A stream of its own: the noise of the records must not move when an error is added here.
    rng = np.random.default_rng([seed, 0xE22])

    def draw() -> float:
        return float(rng.uniform(-1.0, 1.0))

    return DrawnErrors(
        probe_gain=draw(),
        probe_zero=draw(),
        probe_drift=draw(),
        scope_gain={channel: draw() for channel in CHANNELS},
        scope_offset={channel: draw() for channel in CHANNELS},
        sample_clock=draw(),
        supply_voltage=draw(),
        supply_current=draw(),
        readback_voltage=draw(),
        readback_current=draw(),
        regulation=abs(draw()),
        lead_resistance=draw(),
        # drawn last, so that the worlds of older seeds keep their other errors
        marker_rise=abs(draw()),
        marker_fall=abs(draw()),
    )
