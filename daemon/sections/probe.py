"""Section `probe`: the current probe as it was set up."""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from daemon.sections.section import NotNegative, Positive, Section

DATA_SHEET_GAIN_LIMITS = {0.1: 0.03, 0.01: 0.04}
"""Gain limit of the 1146B as a fraction, by its range in volts per ampere (reference 3)."""


class ProbeSection(Section):
    """The current probe. It has no identity of its own, so all of this is declared by whoever set it up."""

    model: Literal["1146B"] = "1146B"
    """Model of the probe."""
    range_v_per_a: Positive = 0.1
    """Position of the range switch, in volts per ampere: 0.1 or 0.01."""
    turns: Annotated[int, Field(ge=1, le=100)] = 1
    """How often the conductor passes through the jaw."""
    zero_a: float = 0.0
    """Known reading at zero current, in ampere at the conductor; it is subtracted."""
    gain_limit: NotNegative = 0.03
    """Limit of the gain error, as a fraction; left out: the data sheet's for the range (0.03 at 0.1 V/A, else 0.04)."""
    zero_limit_a: NotNegative = 0.05
    """Limit of the zero error, in ampere through the jaw (divide by the turns for the conductor)."""
    drift_limit_a: NotNegative = 0.005
    """How far the zero may wander after it was declared, in ampere through the jaw; no data sheet gives it."""

    @property
    def ratio_a_per_v(self) -> float:
        """Ampere at the conductor for one volt at the oscilloscope."""
        return 1.0 / (self.range_v_per_a * self.turns)

    @model_validator(mode="before")
    @classmethod
    def _data_sheet_gain_limit(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "gain_limit" in data:
            return data
        wide = str(data.get("range_v_per_a", 0.1)) == "0.01"
        return data | {"gain_limit": DATA_SHEET_GAIN_LIMITS[0.01 if wide else 0.1]}

    @model_validator(mode="after")
    def _range_exists(self) -> Self:
        if not any(math.isclose(self.range_v_per_a, known) for known in DATA_SHEET_GAIN_LIMITS):
            raise ValueError(f"range_v_per_a is {self.range_v_per_a}, but the 1146B's switch has only 0.1 and 0.01 V/A")
        return self
