"""Sections `oscilloscope` and `probe`: how current, voltage and marker become codes."""

import math
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from daemon.sections.section import NotNegative, Positive, Section

InstrumentResource = Annotated[str, StringConstraints(pattern=r"^(TCPIP|USB|GPIB|ASRL).*::(INSTR|SOCKET|RAW)$")]
"""VISA resource name of an instrument."""

ChannelNumber = Annotated[int, Field(ge=1, le=4)]
"""Analog channel of a four-channel oscilloscope."""

DATA_SHEET_GAIN_LIMITS = {0.1: 0.03, 0.01: 0.04}
"""Gain limit of the 1146B as a fraction, by its range in volts per ampere (reference 3)."""


class AcquisitionChoice(StrEnum):
    """How the oscilloscope turns its converter's samples into a record."""

    NORMAL = "normal"
    """Every stored point is one sample: the only type that delivers the whole memory."""
    HIGH_RESOLUTION = "high_resolution"
    """Every point is a mean of samples: more bits, but at most 62 500 points a record."""


class OscilloscopeSection(Section):
    """The oscilloscope: where it is and how it is programmed."""

    resource: InstrumentResource
    """VISA resource name, such as `TCPIP0::192.168.1.20::5025::SOCKET`."""
    current_channel: ChannelNumber = 1
    """Channel that carries the current probe."""
    current_scale_a_per_div: Positive
    """Current per division at the conductor, in ampere; eight divisions are the whole screen."""
    current_offset_a: float = 0.0
    """Current at the centre of the screen, in ampere."""
    voltage_channel: ChannelNumber | None = None
    """Channel that carries the board's voltage; left out where none is wired."""
    voltage_scale_v_per_div: Positive = 5.0
    """Voltage per division at the probe tip, in volts."""
    voltage_offset_v: float = 0.0
    """Voltage at the centre of the screen, in volts."""
    voltage_probe_ratio: Positive = 10.0
    """Attenuation of the voltage probe."""
    marker_line: Annotated[str, StringConstraints(pattern=r"^D[0-7]$")] = "D0"
    """Digital line that carries the marker, D0 to D7."""
    marker_threshold_v: Annotated[float, Field(ge=-8, le=8)] = 1.4
    """Level between low and high of the digital lines, in volts; 1.4 V suits 3.3 V logic."""
    record_s: Annotated[float, Field(gt=0, le=500)] = 2.0
    """Length of one record, in seconds; 2 s hold 100 000 points at 50 kSa/s."""
    pretrigger_fraction: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Part of the record that lies before the trigger: the idle baseline of a run's first capture."""
    acquisition_type: AcquisitionChoice = AcquisitionChoice.NORMAL
    """`normal`, or `high_resolution` with fewer points."""
    timeout_s: Positive = 5.0
    """Longest wait for one answer of the oscilloscope, in seconds."""

    @property
    def marker_bit(self) -> int:
        """Bit of the pod that carries the marker line, 0 to 7."""
        return int(self.marker_line[1:])

    @model_validator(mode="after")
    def _channels_differ(self) -> Self:
        if self.voltage_channel == self.current_channel:
            raise ValueError(
                f"voltage_channel and current_channel are both {self.current_channel}: "
                "give the voltage a channel of its own, or leave voltage_channel out"
            )
        return self


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
