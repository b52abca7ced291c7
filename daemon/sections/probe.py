"""Section `probe`: the current probe as it was set up."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from daemon.sections.section import NotNegative, Positive, Section
from instruments.errors import SettingRefused
from instruments.probe_1146b import PROBE_1146B
from instruments.probe_declaration import ProbeDeclaration
from instruments.probe_file import read_declaration


class ProbeSection(Section):
    """The current probe. It has no identity of its own, so all of this is declared by whoever set it up."""

    declaration_file: Path | None = None
    """File that describes another probe, or a shunt (see `probes.md`); left out: a 1146B."""
    range_v_per_a: Positive = 0.1
    """Position of the range switch, in volts per ampere: 0.1 or 0.01 for a 1146B, else a declared range's gain."""
    turns: Annotated[int, Field(ge=1, le=100)] = 1
    """How often the conductor passes through the jaw."""
    zero_a: float = 0.0
    """Known reading at zero current, in ampere at the conductor; it is subtracted."""
    gain_limit: NotNegative = 0.03
    """Limit of the gain error, as a fraction; left out: the data sheet's for the range (0.03 at 0.1 V/A, else 0.04), or
    the declared one."""
    zero_limit_a: NotNegative = 0.05
    """Limit of the zero error, in ampere through the jaw (divide by the turns for the conductor); left out: the data
    sheet's, or the declared one."""
    drift_limit_a: NotNegative = 0.005
    """How far the zero may wander after it was declared, in ampere through the jaw; no data sheet gives it."""

    @property
    def ratio_a_per_v(self) -> float:
        """Ampere at the conductor for one volt at the oscilloscope."""
        return 1.0 / (self.range_v_per_a * self.turns)

    def declaration(self) -> ProbeDeclaration:
        """Return what kind of probe it is.

        Raises:
            SettingRefused: the declaration file cannot be read, or describes no probe.
        """
        return PROBE_1146B if self.declaration_file is None else read_declaration(self.declaration_file)

    def resolved(self, folder: Path) -> Self:
        """Return a copy whose file lies where it says, and whose limits are the declared ones unless given.

        Raises:
            SettingRefused: the declaration file describes no probe, or not this one.
        """
        section = super().resolved(folder)
        if self.declaration_file is None:
            return section
        declaration = section.declaration()
        declared = declaration.at(self.range_v_per_a)
        if self.turns > declaration.max_turns:
            text = f"must be 1..{declaration.max_turns} for {declaration.model}, got {self.turns}"
            raise SettingRefused(text, instrument="probe", operation="turns")
        limits = {"gain_limit": declared.gain_accuracy, "zero_limit_a": declared.zero_accuracy_a}
        left_out = {name: limit for name, limit in limits.items() if name not in self.model_fields_set}
        return section.model_copy(update=left_out)

    @model_validator(mode="before")
    @classmethod
    def _data_sheet_gain_limit(cls, data: Any) -> Any:
        if not isinstance(data, dict) or data.keys() & {"gain_limit", "declaration_file"}:
            return data
        wide = str(data.get("range_v_per_a", 0.1)) == "0.01"
        return data | {"gain_limit": PROBE_1146B.at(0.01 if wide else 0.1).gain_accuracy}

    @model_validator(mode="after")
    def _range_exists(self) -> Self:
        if self.declaration_file is None:
            try:
                PROBE_1146B.at(self.range_v_per_a)
            except SettingRefused:
                raise ValueError(
                    f"range_v_per_a is {self.range_v_per_a}, but the 1146B's switch has only 0.1 and 0.01 V/A: "
                    "correct it, or declare another probe by declaration_file"
                ) from None
        return self
