"""Bench settings: which instruments make the bench, what is wired where, and what may be asked of them."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from instruments.current_probe import CurrentProbe
from instruments.errors import SettingRefused
from instruments.oscilloscope_settings import (
    SAMPLED_TYPES,
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
    PodSettings,
    TimeBaseSettings,
    TriggerSettings,
)
from instruments.serial_line import SerialLine
from instruments.supply_envelope import SupplyEnvelope
from metrology.trace import Unit

OSCILLOSCOPE_DRIVER = "mso-x-2024a"
"""Name of this project's driver of an oscilloscope."""
POWER_SUPPLY_DRIVER = "e3645a"
"""Name of this project's driver of a supply."""
LONGEST_SOFT_START_S = 60.0
"""Longest time in which an output may rise."""

NO_SINGLE_RUN = {
    AcquisitionType.AVERAGE: "the mean over many triggers of a signal that repeats is of no single run",
    AcquisitionType.PEAK: "a lowest and a highest value a point are no samples that an energy could be computed from",
}
"""Why an acquisition type measures no single run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageChannel:
    """A channel wired to the board's supply; it refines the alternating part of the voltage."""

    number: int = 2
    """Channel, 1 to 4."""
    scale_v_per_div: float = 5.0
    """Sensitivity at the probe's tip."""
    offset_v: float = 0.0
    """Voltage at the centre of the screen."""
    probe_ratio: float = 10.0
    """Ratio of the voltage probe: 10 for 10:1."""


class OutputOnExit(StrEnum):
    """What becomes of the supply's output when the bench closes, after an error too."""

    LEAVE = "leave"
    """It stays as it is: the board goes on."""
    OFF = "off"
    """It is switched off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchSettings:
    """A bench of one oscilloscope with a current probe, and one power supply."""

    oscilloscope_resource: str
    """VISA resource name of the oscilloscope."""
    oscilloscope_driver: str = OSCILLOSCOPE_DRIVER
    """Name of its driver, this project's or an installed one."""
    power_supply_resource: str
    """VISA resource name of the power supply, such as `GPIB0::5::INSTR`."""
    power_supply_driver: str = POWER_SUPPLY_DRIVER
    """Name of its driver, this project's or an installed one."""
    envelope: SupplyEnvelope
    """Bounds of the supply's set-points."""
    output_on_exit: OutputOnExit = OutputOnExit.LEAVE
    """What becomes of the supply's output when the bench closes."""
    soft_start_s: float = 0.0
    """Time in which the supply's output rises where the bench switches it on; 0: at once."""
    gpib_adapter_resource: str | None = None
    """VISA resource name of a Prologix-style adapter in front of the supply; None where there is none."""
    audit_directory: Path | None = None
    """Where every change of the supply is written down; None: nowhere."""
    name: str = ""
    """Name of the bench, as the audit log has it."""
    dry_run: bool = False
    """Whether nothing is sent that changes the supply."""
    serial_line: SerialLine = field(default_factory=SerialLine)
    """How the serial port is set, where the supply is on one."""
    probe: CurrentProbe = field(default_factory=CurrentProbe)
    """The current probe as declared."""
    current_channel: int = 1
    """Oscilloscope channel of the current probe."""
    current_scale_a_per_div: float = 0.2
    """Sensitivity of that channel, in ampere at the conductor per division."""
    current_offset_a: float = 0.0
    """Current at the centre of the screen."""
    voltage: VoltageChannel | None = None
    """Channel at the board's supply; None where none is wired."""
    marker_bit: int | None = 0
    """Digital line of the board's marker, 0 to 7; None where none is wired: the trigger is then forced."""
    marker_threshold_v: float = 1.4
    """Voltage between low and high of the marker."""
    record_s: float = 2.0
    """Length of a record."""
    pretrigger_fraction: float = 0.1
    """Part of the record before the trigger."""
    acquisition: AcquisitionType = AcquisitionType.NORMAL
    """How samples become points; one of `SAMPLED_TYPES`, since a bench measures single runs."""
    trigger: TriggerSettings | None = None
    """What starts a record; None: the marker's rising edge, or without marker the largest value on the screen."""
    restore_front_panel: bool = True
    """Whether the oscilloscope is left, on closing, as it was before this bench changed it."""
    timeout_s: float = 5.0
    """How long one answer of an instrument may take."""

    def __post_init__(self) -> None:
        if self.marker_bit is not None and not 0 <= self.marker_bit <= 7:
            raise SettingRefused(f"must be 0..7, got {self.marker_bit!r}", instrument="bench", operation="marker_bit")
        if re.search(r"::5024::SOCKET$", self.oscilloscope_resource, re.IGNORECASE):
            text = "port 5024 is a telnet prompt that corrupts records; use port 5025"
            raise SettingRefused(text, instrument="bench", operation="oscilloscope_resource")
        if self.acquisition not in SAMPLED_TYPES:
            text = f"{self.acquisition}: {NO_SINGLE_RUN[self.acquisition]}"
            raise SettingRefused(text, instrument="bench", operation="acquisition")
        if not 0 < self.timeout_s <= 60:
            text = f"must be 0 < value <= 60 s, got {self.timeout_s!r}"
            raise SettingRefused(text, instrument="bench", operation="timeout_s")
        if not 0 <= self.soft_start_s <= LONGEST_SOFT_START_S:
            text = f"must be 0 <= value <= {LONGEST_SOFT_START_S:g} s, got {self.soft_start_s!r}"
            raise SettingRefused(text, instrument="bench", operation="soft_start_s")
        _ = self.oscilloscope_settings

    @property
    def pretrigger_s(self) -> float:
        """Time that the oscilloscope needs before it takes a trigger, in seconds of the bench's world."""
        return self.record_s * self.pretrigger_fraction

    @property
    def oscilloscope_settings(self) -> OscilloscopeSettings:
        """What the oscilloscope is to be programmed with.

        Raises:
            SettingRefused: a value that the oscilloscope cannot take.
        """
        return OscilloscopeSettings(
            current=self._current(),
            voltage=self._voltage(),
            pod=None if self.marker_bit is None else PodSettings(threshold_v=self.marker_threshold_v),
            time_base=TimeBaseSettings(range_s=self.record_s, pretrigger_fraction=self.pretrigger_fraction),
            trigger=self.trigger or self._default_trigger(),
            acquisition=self.acquisition,
        )

    def _current(self) -> ChannelSettings:
        return ChannelSettings(
            number=self.current_channel,
            scale_per_div=self.current_scale_a_per_div,
            offset=self.current_offset_a,
            probe_ratio=self.probe.probe_ratio,
            unit=Unit.AMPERE,
        )

    def _voltage(self) -> ChannelSettings | None:
        if self.voltage is None:
            return None
        return ChannelSettings(
            number=self.voltage.number,
            scale_per_div=self.voltage.scale_v_per_div,
            offset=self.voltage.offset_v,
            probe_ratio=self.voltage.probe_ratio,
            unit=Unit.VOLT,
        )

    def _default_trigger(self) -> TriggerSettings:
        if self.marker_bit is not None:
            return TriggerSettings(source=f"DIGital{self.marker_bit}")
        return self.no_edge

    @property
    def no_edge(self) -> TriggerSettings:
        """An edge out of the signal's reach, so that nothing but a forced trigger starts the record."""
        level = self.current_offset_a + 3.9 * self.current_scale_a_per_div
        return TriggerSettings(source=f"CHANnel{self.current_channel}", level=level)
