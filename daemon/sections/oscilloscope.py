"""Section `oscilloscope`: how current, voltage and marker become codes."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from daemon.sections.section import DriverName, InstrumentResource, NotNegative, Positive, Section

ChannelNumber = Annotated[int, Field(ge=1, le=4)]
"""Analog channel of a four-channel oscilloscope."""

SENSITIVITY_V_PER_DIV = (0.001, 5.0)
"""Lowest and highest volts per division at the oscilloscope's connector (reference 1.1)."""


class AcquisitionChoice(StrEnum):
    """How the oscilloscope turns its converter's samples into a record."""

    NORMAL = "normal"
    """Every stored point is one sample: the only type that delivers the whole memory."""
    HIGH_RESOLUTION = "high_resolution"
    """Every point is a mean of samples: more bits, but at most 62 500 points a record."""


NO_SINGLE_RUN = {
    "average": "the mean over many triggers of a signal that repeats is of no single run",
    "peak": "a lowest and a highest value a point are no samples that an energy could be computed from",
    "segmented": "between segments nothing is recorded, and an energy is an integral over all of a window",
}
"""Why what the oscilloscope can do as well measures no run."""


class OscilloscopeSection(Section):
    """The oscilloscope: where it is and how it is programmed."""

    resource: InstrumentResource
    """VISA resource name, such as `TCPIP0::192.168.1.20::5025::SOCKET`."""
    driver: DriverName = "mso-x-2024a"
    """Driver of the oscilloscope: `mso-x-2024a`, or the name of one that an installed package brings."""
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
    marker_delay_limit_s: NotNegative = 100e-6
    """A marker's edge and its batch's begin or end lie within this of each other, in seconds; a certificate of the
    board's delay takes its place."""
    record_s: Annotated[float, Field(gt=0, le=500)] = 2.0
    """Length of one record, in seconds; 2 s hold 100 000 points at 50 kSa/s."""
    pretrigger_fraction: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Part of the record that lies before the trigger: the idle baseline of a run's first capture."""
    acquisition_type: AcquisitionChoice = AcquisitionChoice.NORMAL
    """`normal`, or `high_resolution` with fewer points."""
    restore_front_panel: bool = True
    """Whether the oscilloscope is set, when the daemon ends, as it was before the daemon's first run changed it."""
    timeout_s: Positive = 5.0
    """Longest wait for one answer of the oscilloscope, in seconds."""
    gain_limit: NotNegative = 0.03
    """Limit of the vertical gain error, as a fraction; it acts about the centre of the screen."""
    offset_limit_div: NotNegative = 0.1
    """First part of the vertical offset error's limit, in divisions."""
    offset_limit_v: NotNegative = 0.002
    """Second part, in volts at the connector."""
    offset_limit_fraction: NotNegative = 0.01
    """Third part, as a fraction of the offset that is set."""
    clock_limit: NotNegative = 25e-6
    """Limit of the sample clock's error, as a fraction."""

    @field_validator("acquisition_type", mode="before")
    @classmethod
    def _measures_single_runs(cls, value: object) -> object:
        if isinstance(value, str) and value in NO_SINGLE_RUN:
            choices = " or ".join(choice.value for choice in AcquisitionChoice)
            raise ValueError(f"{value}: {NO_SINGLE_RUN[value]}; choose {choices}")
        return value

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

    @model_validator(mode="after")
    def _voltage_scale_is_reachable(self) -> Self:
        scale_v = self.voltage_scale_v_per_div / self.voltage_probe_ratio
        if not is_reachable(scale_v):
            raise ValueError(
                f"voltage_scale_v_per_div = {self.voltage_scale_v_per_div} is {scale_v:g} V/div through a probe of "
                f"voltage_probe_ratio = {self.voltage_probe_ratio}, outside the oscilloscope's {SENSITIVITY_V_PER_DIV}"
            )
        return self


def is_reachable(scale_v_per_div: float) -> bool:
    """Return whether the oscilloscope has such a scale at its connector, in volts per division."""
    low, high = SENSITIVITY_V_PER_DIV
    return low * (1 - 1e-9) <= scale_v_per_div <= high * (1 + 1e-9)
