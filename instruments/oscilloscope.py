"""Oscilloscope: the MSO-X 2024A's verbs, from configuration to a capture."""

import time
from collections.abc import Callable, Mapping

from instruments.deadline import check_deadline
from instruments.errors import BadAnswer, BadBlock, InstrumentError, InstrumentTimeout, SettingRefused
from instruments.front_panel import FrontPanel
from instruments.identity import expect_model
from instruments.operation import Operation
from instruments.oscilloscope_parameters import parameters
from instruments.oscilloscope_settings import DIGITAL_LINES, AcquisitionType, OscilloscopeSettings
from instruments.setting import Setting, program
from instruments.visa_session import VisaSession
from instruments.waveform import Record, Waveform, read_waveform
from metrology.capture import Capture
from metrology.clock_windows import ForcedTrigger
from metrology.trace import Unit

MODELS = ("MSO-X 2024A",)
"""Models that this driver speaks to."""
ARM_POLL_S = 0.005
"""Time between two questions whether the pre-trigger part is filled."""
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
"""First and last bytes of every PNG file."""
LARGEST_REGISTER = 0xFFFF
"""Largest value of a status register: sixteen bits."""
RUN_STATES = ("RUN", "STOP", "SING")
"""Answers to `:RSTate?`."""
CODES_PER_SCREEN = 199 * 256
"""Codes that the eight divisions of the screen span in 16-bit data (reference 1.6)."""
CENTRE_CODE = 0x8000
"""Code of the screen's centre in unsigned 16-bit data."""
MOST_FACTOR = 4.0
"""How far a record's scale and length may be off what was set, as a factor: beyond, they are not this record's."""
RATE_SLACK = 0.01
"""How far, as a fraction, the points of a raw record may lie from its sample rate."""
SAMPLE_RATE = ":ACQuire:SRATe"
"""Header of the sample rate."""
TIME_SLACK = 1e-3
"""Largest difference of two sources' time axes, in sample intervals."""


class Oscilloscope:
    """An MSO-X 2024A at the other end of a session. Use it from the session's thread only."""

    def __init__(self, session: VisaSession) -> None:
        self.session = session
        self._settings: OscilloscopeSettings | None = None
        self._read_back: dict[str, str] = {}
        self._identity = ""

    def identify(self) -> str:
        """Get the identity string.

        Raises:
            WrongInstrument: something else answers.
        """
        self._identity = expect_model(self.session, MODELS)
        return self._identity

    def configure(self, settings: OscilloscopeSettings) -> dict[str, str]:
        """Set everything that decides what a record holds, and read all of it back.

        Returns:
            Answer by header, as the instrument wrote it.

        Raises:
            SettingRefused: a setting was clamped or ignored; every one is listed.
            WrongInstrument: something else answers.
            InstrumentReported: the error queue was not empty.
        """
        self._settings = None
        if not self._identity:
            self.identify()
        self.session.write(":STOP;*CLS")
        self._read_back = program(self.session, parameters(settings), operation="configure")
        self._settings = settings
        return dict(self._read_back)

    def start_single(self) -> None:
        """Control the next acquisition: one record, which takes its trigger once the pre-trigger part is filled.

        Raises:
            InstrumentError: it is not configured.
        """
        self._configured("start_single")
        # Reading clears them: what they say from here on is about this acquisition.
        self._flag(":AER?")
        self._flag(":TER?")
        self.session.write(":SINGle")

    def is_armed(self) -> bool:
        """Get whether the pre-trigger part is filled, so that a trigger will be taken; clears the answer."""
        return self._flag(":AER?")

    def arm(self, deadline_s: float) -> None:
        """Start a single acquisition and block until it is armed.

        Raises:
            InstrumentError: it is not configured.
            InstrumentTimeout: not armed within `deadline_s`, which must be longer than the pre-trigger time.
            SettingRefused: a deadline that is none.
        """
        check_deadline(deadline_s, instrument=self.session.role, operation="arm")
        self.start_single()
        end = time.monotonic() + deadline_s
        while not self.is_armed():
            if time.monotonic() >= end:
                text = f"not armed within {deadline_s:g} s (last condition {self.condition()!r})"
                raise InstrumentTimeout(text, instrument=self.session.role, operation="arm")
            time.sleep(ARM_POLL_S)

    def condition(self) -> Operation:
        """Get the operation status condition: running, waiting for the trigger, or stopped (0)."""
        return Operation(self.session.query_whole(":OPERegister:CONDition?", high=LARGEST_REGISTER))

    def is_complete(self) -> bool:
        """Get whether the record is complete; does not wait."""
        return not self.condition() & Operation.RUN

    def triggered(self) -> bool:
        """Get whether a trigger came since the last question; clears the answer."""
        return self._flag(":TER?")

    def force_trigger(self) -> None:
        """Control the trigger: complete the armed acquisition without an edge."""
        self.session.write(":TRIGger:FORCe")

    def force_and_see(self, *, deadline_s: float, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> ForcedTrigger:
        """Control the trigger, and measure between which times of this computer's clock it came.

        Raises:
            InstrumentTimeout: the oscilloscope still waits for its trigger after the deadline.
            SettingRefused: a deadline that is none; nothing was forced.
        """
        check_deadline(deadline_s, instrument=self.session.role, operation="force_and_see")
        end = time.monotonic() + deadline_s
        sent_ns = monotonic_ns()
        self.force_trigger()
        while self.condition() & Operation.WAIT_TRIGGER:
            if time.monotonic() >= end:
                text = f"a forced trigger was not taken within {deadline_s:g} s"
                raise InstrumentTimeout(text, instrument=self.session.role, operation="force_and_see")
        return ForcedTrigger(sent_ns=sent_ns, taken_ns=monotonic_ns())

    def screen_png(self) -> bytes:
        """Get an image of the screen as a PNG file, in colour on black.

        Raises:
            BadBlock: the block is truncated, or holds no PNG.
            InstrumentError: the acquisition still runs: slow questions have hung armed instruments (reference 1.8).
            InstrumentReported: the oscilloscope refused.
            SettingRefused: it keeps the ink saver on.
        """
        if not self.is_complete():
            text = "the acquisition still runs; wait for it or stop it first"
            raise InstrumentError(text, instrument=self.session.role, operation="screen_png")
        program(self.session, [Setting(header=":HARDcopy:INKSaver", value=False)], operation="screen_png")
        image = self.session.query_block(":DISPlay:DATA? PNG,COLor", "u1").tobytes()
        if not (image.startswith(PNG_START) and image.endswith(PNG_END)):
            text = f"the screen must come as a PNG file, got {len(image)} bytes that start with {image[:8]!r}"
            raise BadBlock(text, instrument=self.session.role, operation="screen_png")
        self.session.check_errors("screen_png")
        return image

    def front_panel(self) -> FrontPanel:
        """Get everything that is set at the front panel, so that it can be set again.

        Raises:
            BadAnswer: whether it runs cannot be understood.
            BadBlock: the set-up came empty or truncated.
        """
        state = self.session.query(":RSTate?").upper()
        if state not in RUN_STATES:
            text = f"must be one of {', '.join(RUN_STATES)}, got {state!r}"
            raise BadAnswer(text, instrument=self.session.role, operation=":RSTate?")
        setup = self.session.query_block(":SYSTem:SETup?", "u1").tobytes()
        if not setup:
            raise BadBlock("the set-up is empty", instrument=self.session.role, operation="front_panel")
        return FrontPanel(setup=setup, running=state == "RUN")

    def set_front_panel(self, panel: FrontPanel) -> None:
        """Set everything as `front_panel` found it; what this driver has configured is gone.

        Raises:
            InstrumentReported: the oscilloscope refused the set-up.
        """
        self._settings = None
        self.session.write(":STOP;*CLS")
        self.session.write_block(":SYSTem:SETup", panel.setup)
        self.session.check_errors("set_front_panel")
        if panel.running:
            self.session.write(":RUN")

    def stop(self) -> None:
        """Control the acquisition: end it."""
        self.session.write(":STOP")

    def sample_rate_hz(self) -> float:
        """Get the sample rate of the last acquisition, in hertz. Not while armed: the instrument may hang."""
        return self.session.query_number(f"{SAMPLE_RATE}?", low=0.0)

    def read_capture(
        self, *, marker_bit: int = 0, instruments: Mapping[str, str] | None = None, taken_utc_ns: int | None = None
    ) -> Capture:
        """Read the completed record in one fixed order: current, voltage where wired, pod where wired.

        Raises:
            BadAnswer: a preamble makes no sense, or is far from what was configured.
            BadBlock: a block is truncated, the sources do not lie on one time axis, or samples were left out.
            InstrumentError: it is not configured, or the acquisition still runs, so that a shorter record would come.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: it delivers otherwise than it was told to, or there is no such line or time.
        """
        settings = self._configured("read_capture")
        self._check_labels(marker_bit, taken_utc_ns)
        if not self.is_complete():
            text = "the acquisition still runs; wait for it or stop it first"
            raise InstrumentError(text, instrument=self.session.role, operation="read_capture")
        waveforms = self._read_all(settings)
        self.session.check_errors("read_capture")
        self._check_one_time_axis(waveforms)
        self._check_as_configured(waveforms, settings)
        rate = self.session.query(f"{SAMPLE_RATE}?")
        current = waveforms[0]
        if settings.acquisition is AcquisitionType.NORMAL:  # means are delivered thinned
            self._check_every_sample(current, rate)
        voltage = waveforms[1] if settings.voltage is not None else None
        pod = waveforms[-1] if settings.pod is not None else None
        return Capture(
            time_base=current.preamble.time_base,
            current=current.trace(Unit.AMPERE),
            voltage=None if voltage is None else voltage.trace(Unit.VOLT),
            marker_pod_counts=None if pod is None else pod.counts.astype("u1", copy=False),
            marker_bit=marker_bit,
            settings=self._settings_of(waveforms) | {SAMPLE_RATE: rate},
            instruments={self.session.role: self._identity, **(instruments or {})},
            triggered_utc_ns=taken_utc_ns,
        )

    def _read_all(self, settings: OscilloscopeSettings) -> list[Waveform]:
        sources = [f"CHANnel{channel.number}" for channel in settings.channels]
        if settings.pod is not None:
            sources.append("POD1")
        record = Record.RAW if settings.acquisition is AcquisitionType.NORMAL else Record.MEASUREMENT
        return [read_waveform(self.session, source, record) for source in sources]

    def _check_one_time_axis(self, waveforms: list[Waveform]) -> None:
        first = waveforms[0]
        for other in waveforms[1:]:
            ours, theirs = first.preamble.time_base, other.preamble.time_base
            shift = abs(ours.origin_s - theirs.origin_s) + abs(ours.end_s - theirs.end_s)
            if ours.sample_count != theirs.sample_count or shift > TIME_SLACK * ours.interval_s:
                text = f"{first.source} lies on {ours}, {other.source} on {theirs}"
                raise BadBlock(text, instrument=self.session.role, operation="read_capture")

    def _check_as_configured(self, waveforms: list[Waveform], settings: OscilloscopeSettings) -> None:
        """Refuse a preamble in which a digit was lost, or whose settings somebody changed at the front panel.

        Raises:
            BadAnswer: it is far from what was configured.
        """
        time_base = waveforms[0].preamble.time_base
        length_s = time_base.sample_count * time_base.interval_s
        problems = [_far(length_s, settings.time_base.range_s, "record's length in seconds")]
        for waveform, channel in zip(waveforms, settings.channels, strict=False):
            preamble, screen = waveform.preamble, 8.0 * channel.scale_per_div
            spanned = abs(preamble.y_increment) * CODES_PER_SCREEN
            problems.append(_far(spanned, screen, f"height of the screen on {waveform.source} in {channel.unit}"))
            centre = (CENTRE_CODE - preamble.y_reference_counts) * preamble.y_increment + preamble.y_origin
            if abs(centre - channel.offset) > channel.scale_per_div:
                problems.append(f"centre of {waveform.source} is {centre:g}, set was {channel.offset:g}")
        if any(problems):
            text = "; ".join(filter(None, problems)) + "; was it set at the front panel? Configure again"
            raise BadAnswer(text, instrument=self.session.role, operation="read_capture")

    def _check_every_sample(self, waveform: Waveform, rate: str) -> None:
        rate_hz = 1.0 / waveform.preamble.x_increment_s
        if not Setting(header=SAMPLE_RATE, value=rate_hz, tolerance=RATE_SLACK * rate_hz).accepts(rate):
            text = f"{waveform.source} comes as {rate_hz:g} points a second, but was sampled at {rate!r} Hz"
            raise BadBlock(text, instrument=self.session.role, operation="read_capture")

    def _check_labels(self, marker_bit: int, taken_utc_ns: int | None) -> None:
        if marker_bit not in DIGITAL_LINES:
            text = f"must be 0..{DIGITAL_LINES[-1]}, got {marker_bit!r}"
            raise SettingRefused(text, instrument=self.session.role, operation="marker_bit")
        if taken_utc_ns is not None and taken_utc_ns < 0:
            text = f"must be 0 or more, got {taken_utc_ns!r}"
            raise SettingRefused(text, instrument=self.session.role, operation="taken_utc_ns")

    def _settings_of(self, waveforms: list[Waveform]) -> dict[str, str]:
        preambles = {f":WAVeform:PREamble? {waveform.source}": waveform.preamble_text for waveform in waveforms}
        return {**self._read_back, **preambles}

    def _configured(self, operation: str) -> OscilloscopeSettings:
        if self._settings is None:
            raise InstrumentError("not configured", instrument=self.session.role, operation=operation)
        return self._settings

    def _flag(self, query: str) -> bool:
        return self.session.query_whole(query, high=1) != 0


def _far(found: float, wanted: float, name: str) -> str:
    """Return a complaint where a quantity is far from what it should be, else nothing."""
    near = wanted / MOST_FACTOR <= found <= wanted * MOST_FACTOR
    return "" if near else f"{name} is {found:g}, set was {wanted:g}"
