"""Oscilloscope driver: what the bench asks of an oscilloscope, whoever made it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from instruments.front_panel import FrontPanel
from instruments.operation import Operation
from instruments.oscilloscope_settings import OscilloscopeSettings
from metrology.capture import Capture
from metrology.clock_windows import ForcedTrigger


class OscilloscopeDriver(Protocol):
    """Verbs of an oscilloscope; each blocks, on the instrument's own thread. Implementation: `Oscilloscope`.

    A verb that fails raises an `InstrumentError`, as every call of a `VisaSession` does; anything else is a defect.
    """

    def identify(self) -> str:
        """Get the identity string, and change nothing.

        Raises:
            WrongInstrument: something else answers.
        """
        ...

    def configure(self, settings: OscilloscopeSettings) -> Mapping[str, str]:
        """Set everything that decides what a record holds; return all of it as read back, by header.

        Raises:
            SettingRefused: a setting was clamped or ignored.
            InstrumentReported: the oscilloscope's error queue was not empty.
        """
        ...

    def start_single(self) -> None:
        """Control the next acquisition: one record, at the configured edge and at nothing else; does not wait."""
        ...

    def is_armed(self) -> bool:
        """Get whether the pre-trigger part is filled, so that a trigger will be taken; may clear the answer."""
        ...

    def condition(self) -> Operation:
        """Get what the acquisition does; 0 where it has ended."""
        ...

    def is_complete(self) -> bool:
        """Get whether the record is complete; does not wait."""
        ...

    def triggered(self) -> bool:
        """Get whether a trigger came since `start_single`, forced or not; may clear the answer."""
        ...

    def force_and_see(self, *, deadline_s: float, monotonic_ns: Callable[[], int]) -> ForcedTrigger:
        """Control the trigger, and measure between which times of a clock, in nanoseconds, it came.

        Raises:
            InstrumentTimeout: it was not taken within the deadline, in seconds.
        """
        ...

    def stop(self) -> None:
        """Control the acquisition: end it, whatever its state."""
        ...

    def read_capture(self, *, marker_bit: int, instruments: Mapping[str, str], taken_utc_ns: int) -> Capture:
        """Read the completed record.

        Args:
            marker_bit: line of the pod that carries the marker, 0 to 7.
            instruments: identity string by role of the bench's other instruments, which go into the capture.
            taken_utc_ns: when it was taken, in nanoseconds since 1970, which goes into it too.

        Raises:
            BadBlock: a part is truncated, or the sources do not lie on one time axis.
        """
        ...

    def screen_png(self) -> bytes:
        """Get an image of the screen as a PNG file; not while an acquisition runs."""
        ...

    def front_panel(self) -> FrontPanel:
        """Get everything that is set at the front panel, so that it can be set again."""
        ...

    def set_front_panel(self, panel: FrontPanel) -> None:
        """Set everything as `front_panel` found it."""
        ...
