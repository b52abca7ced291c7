"""Record reader: what an oscilloscope has acquired, in one fixed order, with the proof that it is one acquisition."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from instruments.answer_number import LARGEST_REGISTER
from instruments.averaged_record import AveragedRecord
from instruments.envelope import Envelope, waveform_to_band
from instruments.errors import BadAnswer, BadBlock, InstrumentError, NotTriggered, SettingRefused
from instruments.operation import Operation
from instruments.oscilloscope_settings import (
    DIGITAL_LINES,
    SAMPLED_TYPES,
    AcquisitionType,
    ChannelSettings,
    OscilloscopeSettings,
)
from instruments.segment import Segment
from instruments.setting import Setting, program
from instruments.visa_session import VisaSession
from instruments.waveform import Waveform, read_waveform
from metrology.capture import Capture
from metrology.trace import Unit

TIME_SLACK = 1e-3
"""Largest difference of two sources' time axes, in sample intervals."""
SCREEN_SLACK = 0.1
"""Largest difference of a record's begin or end from the screen's, as a fraction of it. A knob's step is larger; how
closely an instrument fills its screen is not known."""
CODES_PER_SCREEN = 199 * 256
"""Codes that the eight divisions of the screen span in 16-bit data (reference 1.6)."""
CENTRE_CODE = 0x8000
"""Code of the screen's centre in unsigned 16-bit data."""
MOST_FACTOR = 4.0
"""How far a record's scale may be off what was set, as a factor: beyond, it is not this record's."""
RATE_SLACK = 0.01
"""How far, as a fraction, the points of a raw record may lie from its sample rate."""
SAMPLE_RATE = ":ACQuire:SRATe"
"""Header of the sample rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a capture is told of its making, beside what the oscilloscope says."""

    marker_bit: int = 0
    """Line of the pod that carries the marker, 0 to 7."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Identity string by role, the oscilloscope's among them."""
    taken_utc_ns: int | None = None
    """When it was taken, in nanoseconds since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReader:
    """Reads the completed acquisition of an oscilloscope as it was configured."""

    session: VisaSession
    """Session to it."""
    settings: OscilloscopeSettings
    """What it was configured with."""
    read_back: Mapping[str, str]
    """What it answered to that, by header."""

    def capture(self, label: Label) -> Capture:
        """Read the record: current, voltage where wired, pod where wired.

        Raises:
            BadAnswer: a preamble makes no sense, or is far from what was configured.
            BadBlock: a block is truncated, the sources are not of one acquisition, not on one time axis or not on the
                screen that was configured, or samples were left out.
            InstrumentError: the acquisition still runs.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: the acquisition type yields no samples of one acquisition, the memory is segmented, the
                oscilloscope delivers otherwise than it was told to, or there is no such line or time.
        """
        self._check_label(label)
        self._refuse_unsampled("read_capture")
        if self.settings.segments is not None:
            text = "the memory is segmented; read_segments reads its records"
            raise SettingRefused(text, instrument=self.session.role, operation="read_capture")
        with self._one_acquisition("read_capture"):
            waveforms = self._sources()
        self._check_record(waveforms, "read_capture")
        rate = self._rate()
        self._check_every_sample(waveforms[0], rate, "read_capture")
        return self._to_capture(waveforms, label, self._told(waveforms, rate))

    def segments(self, label: Label) -> tuple[Segment, ...]:
        """Read every segment that was acquired, in the order of their triggers.

        Raises:
            BadAnswer: as for `capture`, or there cannot be so many segments or such time tags.
            BadBlock: as for `capture`.
            InstrumentError: the acquisition still runs.
            InstrumentReported: the oscilloscope's error queue was not empty.
            NotTriggered: there is none.
            SettingRefused: the memory is not segmented, another segment than that asked for was selected, or as for
                `capture`.
        """
        self._check_label(label)
        self._refuse_unsampled("read_segments")
        if self.settings.segments is None:
            text = "the memory is not segmented; configure with a number of segments"
            raise SettingRefused(text, instrument=self.session.role, operation="read_segments")
        with self._one_acquisition("read_segments"):
            read = [self._segment(index) for index in range(1, self._segment_count(self.settings.segments) + 1)]
        self._check_time_tags([tag_s for tag_s, _ in read])
        rate = self._rate()
        for _, waveforms in read:
            self._check_record(waveforms, "read_segments")
            self._check_every_sample(waveforms[0], rate, "read_segments")
        captures = [self._to_capture(waveforms, label, self._told(waveforms, rate)) for _, waveforms in read]
        return tuple(
            Segment(index=index, time_tag_s=tag_s, capture=capture)
            for index, ((tag_s, _), capture) in enumerate(zip(read, captures, strict=True), 1)
        )

    def envelope(self) -> Envelope:
        """Read the record of the type PEAK; no pod.

        Raises:
            BadAnswer: as for `capture`.
            BadBlock: as for `capture`.
            InstrumentError: the acquisition still runs.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: another acquisition type is configured, or as for `capture`.
        """
        self.expect(AcquisitionType.PEAK, "read_envelope")
        with self._one_acquisition("read_envelope"):
            waveforms = self._sources(with_pod=False)
        self._check_record(waveforms, "read_envelope")
        return Envelope(
            time_base=waveforms[0].preamble.time_base,
            current=waveform_to_band(waveforms[0], Unit.AMPERE),
            voltage=waveform_to_band(waveforms[1], Unit.VOLT) if self.settings.voltage is not None else None,
            settings=self._told(waveforms, self._rate()),
        )

    def average(self) -> AveragedRecord:
        """Read the completed average; no pod, for a mean of digital levels is none.

        Raises:
            BadAnswer: as for `capture`.
            BadBlock: as for `capture`, or fewer acquisitions were averaged than asked for.
            InstrumentError: the acquisition still runs.
            InstrumentReported: the oscilloscope's error queue was not empty.
            SettingRefused: another acquisition type is configured, or as for `capture`.
        """
        self.expect(AcquisitionType.AVERAGE, "read_average")
        with self._one_acquisition("read_average"):
            waveforms = self._sources(with_pod=False)
        self._check_record(waveforms, "read_average")
        self._check_averaged(waveforms)
        return AveragedRecord(
            time_base=waveforms[0].preamble.time_base,
            current=waveforms[0].trace(Unit.AMPERE),
            count=waveforms[0].preamble.count,
            voltage=waveforms[1].trace(Unit.VOLT) if self.settings.voltage is not None else None,
            settings=self._told(waveforms, self._rate()),
        )

    def expect(self, kind: AcquisitionType, operation: str) -> None:
        """Check an acquisition type against the one configured.

        Raises:
            SettingRefused: it is not.
        """
        if self.settings.acquisition is not kind:
            text = f"the acquisition type must be {kind}, {self.settings.acquisition} is configured"
            raise SettingRefused(text, instrument=self.session.role, operation=operation)

    @contextlib.contextmanager
    def _one_acquisition(self, operation: str) -> Iterator[None]:
        """Hold what is read inside to one stopped acquisition, and its error queue to empty.

        Sources are read one after the other, and somebody at the front panel can start the next acquisition in between.
        """
        if self._runs():
            text = "the acquisition still runs; wait for it or stop it first"
            raise InstrumentError(text, instrument=self.session.role, operation=operation)
        self._triggered()  # reading clears it: from here on it tells of another acquisition
        yield
        self.session.check_errors(operation)
        if self._runs() or self._triggered():
            text = "another acquisition began while this one was read (a key at the front panel?)"
            raise BadBlock(text, instrument=self.session.role, operation=operation)

    def _runs(self) -> bool:
        condition = self.session.query_whole_number(":OPERegister:CONDition?", high=LARGEST_REGISTER)
        return bool(Operation(condition) & Operation.RUN)

    def _triggered(self) -> bool:
        return self.session.query_whole_number(":TER?", high=1) != 0

    def _refuse_unsampled(self, operation: str) -> None:
        if self.settings.acquisition not in SAMPLED_TYPES:
            text = f"records of the type {self.settings.acquisition} are no samples of one acquisition"
            raise SettingRefused(text, instrument=self.session.role, operation=operation)

    def _sources(self, *, with_pod: bool = True) -> list[Waveform]:
        """Read the sources in their fixed order: current, voltage where wired, pod where wired."""
        sources = [f"CHANnel{channel.number}" for channel in self.settings.channels]
        if with_pod and self.settings.pod is not None:
            sources.append("POD1")
        return [read_waveform(self.session, source, self.settings.acquisition) for source in sources]

    def _segment_count(self, most: int) -> int:
        count = self.session.query_whole_number(":WAVeform:SEGMented:COUNt?", high=most)
        if count < 1:
            text = "there is no segment: no trigger came"
            raise NotTriggered(text, instrument=self.session.role, operation="read_segments")
        return count

    def _segment(self, index: int) -> tuple[float, list[Waveform]]:
        program(self.session, [Setting(header=":ACQuire:SEGMented:INDex", value=index)], operation="read_segments")
        time_tag_s = self.session.query_number(":WAVeform:SEGMented:TTAG?", low=0.0)
        return time_tag_s, self._sources()

    def _to_capture(self, waveforms: list[Waveform], label: Label, told: Mapping[str, str]) -> Capture:
        current = waveforms[0]
        voltage = waveforms[1] if self.settings.voltage is not None else None
        pod = waveforms[-1] if self.settings.pod is not None else None
        return Capture(
            time_base=current.preamble.time_base,
            current=current.trace(Unit.AMPERE),
            voltage=None if voltage is None else voltage.trace(Unit.VOLT),
            marker_pod_counts=None if pod is None else pod.counts.astype("u1", copy=False),
            marker_bit=label.marker_bit,
            settings=told,
            instruments=label.instruments,
            triggered_utc_ns=label.taken_utc_ns,
        )

    def _rate(self) -> str:
        return self.session.query(f"{SAMPLE_RATE}?")

    def _told(self, waveforms: list[Waveform], rate: str) -> dict[str, str]:
        preambles = {f":WAVeform:PREamble? {waveform.source}": waveform.preamble_text for waveform in waveforms}
        return {**self.read_back, SAMPLE_RATE: rate, **preambles}

    def _check_label(self, label: Label) -> None:
        if label.marker_bit not in DIGITAL_LINES:
            text = f"must be 0..{DIGITAL_LINES[-1]}, got {label.marker_bit!r}"
            raise SettingRefused(text, instrument=self.session.role, operation="marker_bit")
        if label.taken_utc_ns is not None and label.taken_utc_ns < 0:
            text = f"must be 0 or more, got {label.taken_utc_ns!r}"
            raise SettingRefused(text, instrument=self.session.role, operation="taken_utc_ns")

    def _check_record(self, waveforms: list[Waveform], operation: str) -> None:
        """Check what was read against itself, and against what was configured."""
        self._check_one_time_axis(waveforms, operation)
        self._check_whole_screen(waveforms[0], operation)
        self._check_scales(waveforms, operation)

    def _check_one_time_axis(self, waveforms: list[Waveform], operation: str) -> None:
        first = waveforms[0]
        for other in waveforms[1:]:
            ours, theirs = first.preamble.time_base, other.preamble.time_base
            shift = abs(ours.origin_s - theirs.origin_s) + abs(ours.end_s - theirs.end_s)
            if ours.sample_count != theirs.sample_count or shift > TIME_SLACK * ours.interval_s:
                text = f"{first.source} lies on {ours}, {other.source} on {theirs}"
                raise BadBlock(text, instrument=self.session.role, operation=operation)

    def _check_whole_screen(self, waveform: Waveform, operation: str) -> None:
        """Check that the record spans the screen that was configured: what is off the screen now does not come."""
        wanted, found = self.settings.time_base, waveform.preamble.time_base
        start_s = wanted.position_s - wanted.range_s / 2
        off_s = max(abs(found.origin_s - start_s), abs(found.end_s - start_s - wanted.range_s))
        if off_s > SCREEN_SLACK * wanted.range_s:
            text = (
                f"the record must span {start_s:g}..{start_s + wanted.range_s:g} s, it spans {found.origin_s:g}.."
                f"{found.end_s:g} s: was the time base turned at the front panel? Arm again"
            )
            raise BadBlock(text, instrument=self.session.role, operation=operation)

    def _check_scales(self, waveforms: list[Waveform], operation: str) -> None:
        """Refuse a preamble in which a digit was lost, or whose settings somebody changed at the front panel.

        Raises:
            BadAnswer: it is far from what was configured.
        """
        pairs = list(zip(waveforms, self.settings.channels, strict=False))  # a pod has no scale
        problems = [problem for waveform, channel in pairs for problem in _scale_problems(waveform, channel)]
        if problems:
            text = "; ".join(problems) + "; was it set at the front panel? Configure again"
            raise BadAnswer(text, instrument=self.session.role, operation=operation)

    def _check_every_sample(self, waveform: Waveform, rate: str, operation: str) -> None:
        """Check that a raw record was not thinned; means always are."""
        if self.settings.acquisition is not AcquisitionType.NORMAL:
            return
        rate_hz = 1.0 / waveform.preamble.x_increment_s
        if not Setting(header=SAMPLE_RATE, value=rate_hz, tolerance=RATE_SLACK * rate_hz).accepts(rate):
            text = f"{waveform.source} comes as {rate_hz:g} points a second, but was sampled at {rate!r} Hz"
            raise BadBlock(text, instrument=self.session.role, operation=operation)

    def _check_time_tags(self, tags_s: list[float]) -> None:
        ascending = all(earlier < later for earlier, later in pairwise(tags_s))
        if tags_s[0] != 0.0 or not ascending:
            text = f"time tags must begin at 0 s and ascend, got {tags_s[:8]}"
            raise BadAnswer(text, instrument=self.session.role, operation="read_segments")

    def _check_averaged(self, waveforms: list[Waveform]) -> None:
        counts = {waveform.source: waveform.preamble.count for waveform in waveforms}
        if set(counts.values()) != {self.settings.average_count}:
            text = f"{self.settings.average_count} acquisitions were to be averaged, the preambles say {counts}"
            raise BadBlock(text, instrument=self.session.role, operation="read_average")


def _scale_problems(waveform: Waveform, channel: ChannelSettings) -> Iterator[str]:
    preamble, screen = waveform.preamble, 8.0 * channel.scale_per_div
    spanned = abs(preamble.y_increment) * CODES_PER_SCREEN
    if not screen / MOST_FACTOR <= spanned <= screen * MOST_FACTOR:
        yield f"height of the screen on {waveform.source} in {channel.unit} is {spanned:g}, set was {screen:g}"
    centre = (CENTRE_CODE - preamble.y_reference_counts) * preamble.y_increment + preamble.y_origin
    if abs(centre - channel.offset) > channel.scale_per_div:
        yield f"centre of {waveform.source} is {centre:g}, set was {channel.offset:g}"
