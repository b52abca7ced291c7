"""Stated accuracy: what is known of the errors of the instrument that recorded a file, never of our own bench.

It is given on the command line, from the instrument's data sheet or its calibration. A default stands here only where
its maker states one in public:

* Joulescope JS220, current: ±0.25 % ±1.5 mA, said by its maker of the 10 A range, the coarsest, in
  github.com/jetperch/pyjoulescope_ui/issues/182. That the finer ranges are no worse is not confirmed [?].

Found, and not taken: Qoitech states ±(0.1 % + 50 nA) for the Otii Arc and ±(0.05 % + 25 nA) for the Otii Ace "when
measuring low currents" (qoitech.com, "How accurate is your low current measurement?"), without saying how far that
reaches [?]. For the Joulescope JS110 its maker published the ranges as designed, "not the guaranteed" ones
(forum.joulescope.com/t/175). For the Nordic PPK2 no statement was found [?].
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from metrology.errors import MetrologyError

ASSUMED_CLOCK = 1e-4
"""Relative error of a sample clock where nothing is said: no quartz is worse. An assumption, named so in the budget."""
GIVEN = "as given when the file was imported"
_OPTIONS = {
    "gain": "--gain-accuracy PERCENT",
    "offset_a": "--offset-accuracy AMPERES",
    "voltage_gain": "--voltage-gain-accuracy PERCENT",
    "voltage_offset_v": "--voltage-offset-accuracy VOLTS",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedAccuracy:
    """Limits within which an instrument's errors lie, either side; None where nobody says."""

    gain: float | None = None
    """Relative error of its current; of its energy, where it gives energy alone."""
    offset_a: float | None = None
    """Error of its zero, in amperes."""
    voltage_gain: float | None = None
    """Relative error of its voltage, or of the supply's where that was given."""
    voltage_offset_v: float | None = None
    """Error of the voltage's zero, in volts."""
    clock: float | None = None
    """Relative error of its sample clock; None: `ASSUMED_CLOCK`."""
    current_source: str = GIVEN
    """Who says so of the current."""
    voltage_source: str = GIVEN
    """Who says so of the voltage."""

    def __post_init__(self) -> None:
        for name in (*_OPTIONS, "clock"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and 0 <= value <= 10):
                raise MetrologyError(f"{name} of an accuracy must lie in 0..10, got {value!r}")

    @property
    def missing(self) -> tuple[str, ...]:
        """The options by which what is not known could be given; empty where all is known."""
        return tuple(option for name, option in _OPTIONS.items() if getattr(self, name) is None)

    def with_defaults(self, identity: str) -> "StatedAccuracy":
        """Return it with what the maker states of this instrument in the place of what was not given."""
        default = _default(identity)
        if default is None or self.gain is not None or self.offset_a is not None:
            return self
        return replace(self, gain=default.gain, offset_a=default.offset_a, current_source=default.current_source)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "StatedAccuracy":
        """Build from such values."""
        return cls(**document)


def _default(identity: str) -> StatedAccuracy | None:
    if "JS220" not in identity.upper().replace("-", "").split():
        return None
    return StatedAccuracy(
        gain=0.0025, offset_a=1.5e-3, current_source="the maker's word for the JS220's 10 A range, taken for all"
    )
