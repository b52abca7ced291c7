"""Oscilloscope: the MSO-X 2024A's verbs, from configuration to a capture."""

import time
from collections.abc import Callable, Mapping

from instruments.answer_number import LARGEST_REGISTER, text_to_number
from instruments.averaged_record import AveragedRecord
from instruments.deadline import check_deadline
from instruments.envelope import Envelope
from instruments.errors import (
    BadAnswer,
    BadBlock,
    InstrumentError,
    InstrumentReported,
    InstrumentTimeout,
    NotTriggered,
    SettingRefused,
)
from instruments.front_panel import FrontPanel
from instruments.identity import expect_model
from instruments.operation import Operation
from instruments.oscilloscope_parameters import parameters
from instruments.oscilloscope_settings import SEGMENT_COUNTS, AcquisitionType, OscilloscopeSettings
from instruments.record_reader import SAMPLE_RATE, Label, RecordReader
from instruments.segment import Segment
from instruments.setting import Setting, program
from instruments.visa_session import VisaSession
from metrology.capture import Capture
from metrology.clock_windows import ForcedTrigger

MODELS = ("MSO-X 2024A",)
"""Models that this driver speaks to."""
ARM_POLL_S = 0.005
"""Time between two questions whether the pre-trigger part is filled."""
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
"""First and last bytes of every PNG file."""
RUN_STATES = ("RUN", "STOP", "SING")
"""Answers to `:RSTate?`."""
HARDWARE_MISSING = "-241"
"""Error of a command that needs an option."""


class Oscilloscope:
    """An MSO-X 2024A at the other end of a session. Use it from the session's thread only."""

    def __init__(self, session: VisaSession) -> None:
        self.session = session
        self._reader: RecordReader | None = None
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
            SettingRefused: a setting was clamped or ignored, every one is listed; or segments are asked of an
                oscilloscope without their option.
            WrongInstrument: something else answers.
            InstrumentReported: the error queue was not empty.
        """
        self._reader = None
        if not self._identity:
            self.identify()
        self.session.write(":STOP;*CLS")
        try:
            read_back = program(self.session, parameters(settings), operation="configure")
        except InstrumentReported as error:
            if settings.segments is None or not any(entry.startswith(HARDWARE_MISSING) for entry in error.entries):
                raise
            text = f"segmented memory needs the option SGM, which is not fitted ({_options(self.session)}); {error}"
            raise SettingRefused(text, instrument=self.session.role, operation="configure") from error
        self._reader = RecordReader(session=self.session, settings=settings, read_back=read_back)
        return dict(read_back)

    def start_single(self) -> None:
        """Control the next acquisition: one record, which takes its trigger once the pre-trigger part is filled.

        With segmented memory it is armed once, and every segment takes a trigger of its own.

        Raises:
            InstrumentError: it is not configured.
            SettingRefused: an average is configured, which no single acquisition completes.
        """
        if self._configured("start_single").settings.acquisition is AcquisitionType.AVERAGE:
            text = "a single acquisition is never averaged; acquire_average takes an average"
            raise SettingRefused(text, instrument=self.session.role, operation="start_single")
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
        return Operation(self.session.query_whole_number(":OPERegister:CONDition?", high=LARGEST_REGISTER))

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
        self._reader = None
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
            BadBlock: a block is truncated, samples were left out, or the sources are not of one acquisition, not on one
                time axis, or not on the screen that was configured.
            InstrumentError: it is not configured, or the acquisition still runs, so that a shorter record would come.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: the acquisition type yields no samples of one acquisition, the memory is segmented, the
                oscilloscope delivers otherwise than it was told to, or there is no such line or time.
        """
        reader = self._configured("read_capture")
        return reader.capture(self._label(marker_bit, instruments, taken_utc_ns))

    def read_segments(
        self, *, marker_bit: int = 0, instruments: Mapping[str, str] | None = None, taken_utc_ns: int | None = None
    ) -> tuple[Segment, ...]:
        """Read the segments that were acquired, in the order of their triggers: all, or those before a stop.

        Raises:
            BadAnswer: as for `read_capture`, or there cannot be so many segments or such time tags.
            BadBlock: as for `read_capture`.
            InstrumentError: as for `read_capture`.
            InstrumentReported: the oscilloscope's error queue was not empty.
            NotTriggered: there is none.
            SettingRefused: the memory is not segmented, another segment than that asked for was selected, or as for
                `read_capture`.
        """
        reader = self._configured("read_segments")
        return reader.segments(self._label(marker_bit, instruments, taken_utc_ns))

    def acquired_segments(self) -> int:
        """Get how many segments have been acquired so far, a count; also while the acquisition runs."""
        return self.session.query_whole_number(":WAVeform:SEGMented:COUNt?", high=SEGMENT_COUNTS[1])

    def read_envelope(self) -> Envelope:
        """Read the completed record of the type PEAK: lowest and highest value of each interval, without the pod.

        Raises:
            BadAnswer: as for `read_capture`.
            BadBlock: as for `read_capture`.
            InstrumentError: as for `read_capture`.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: another acquisition type is configured, or it delivers otherwise than it was told to.
        """
        return self._configured("read_envelope").envelope()

    def acquire_average(self, *, deadline_s: float) -> AveragedRecord:
        """Take the mean over `average_count` triggers of a signal that repeats, and read it, without the pod.

        Only `:DIGitize` completes an average, and it blocks the interface until the last trigger has come. So one
        polled acquisition, which can be given up, first shows that there is a trigger at all. Where the signal stops
        after it, a device clear ends the blocking; a socket has none, and waits for the missing triggers or for the
        front panel's key.

        Args:
            deadline_s: how long all of it may take; longer than the records.

        Raises:
            BadAnswer: as for `read_capture`, or the oscilloscope does not say that it has completed.
            BadBlock: as for `read_capture`, or fewer acquisitions were averaged than asked for.
            InstrumentError: it is not configured, or was started again at the front panel.
            InstrumentReported: the oscilloscope's error queue was not empty.
            InstrumentTimeout: the triggers did not all come within the deadline.
            NotTriggered: not even one came; the interface is free.
            SettingRefused: another acquisition type is configured, the records alone outlast the deadline, which may
                also be none, or it delivers otherwise than it was told to.
        """
        check_deadline(deadline_s, instrument=self.session.role, operation="acquire_average")
        reader = self._configured("acquire_average")
        reader.expect(AcquisitionType.AVERAGE, "acquire_average")
        least_s = (reader.settings.average_count + 1) * reader.settings.time_base.range_s
        if least_s >= deadline_s:
            text = f"deadline_s must be longer than the records, {least_s:g} s, got {deadline_s:g}"
            raise SettingRefused(text, instrument=self.session.role, operation="acquire_average")
        end = time.monotonic() + deadline_s
        self._see_a_trigger(end)
        # One message: a second one would wait at the blocked interface, for no longer than any other.
        answer = self.session.query_slow(":DIGitize;*OPC?", wait_s=max(end - time.monotonic(), ARM_POLL_S))
        if text_to_number(answer) != 1:
            raise BadAnswer(f"must be 1, got {answer!r}", instrument=self.session.role, operation=":DIGitize;*OPC?")
        return reader.average()

    def _see_a_trigger(self, end: float) -> None:
        """Take one acquisition, averaged with no other, before the monotonic time `end`."""
        self.session.write(":SINGle")
        while not self.is_complete():
            if time.monotonic() >= end:
                condition = self.condition()
                self.stop()
                text = f"no acquisition ended within the deadline (condition {condition!r}); does the signal repeat?"
                raise NotTriggered(text, instrument=self.session.role, operation="acquire_average")
            time.sleep(ARM_POLL_S)

    def _label(self, marker_bit: int, instruments: Mapping[str, str] | None, taken_utc_ns: int | None) -> Label:
        identities = {self.session.role: self._identity, **(instruments or {})}
        return Label(marker_bit=marker_bit, instruments=identities, taken_utc_ns=taken_utc_ns)

    def _configured(self, operation: str) -> RecordReader:
        if self._reader is None:
            raise InstrumentError("not configured", instrument=self.session.role, operation=operation)
        return self._reader

    def _flag(self, query: str) -> bool:
        return self.session.query_whole_number(query, high=1) != 0


def _options(session: VisaSession) -> str:
    try:
        return f"*OPT? answers {session.query('*OPT?')!r}"
    except InstrumentError as error:
        return f"*OPT?: {error}"
