"""Commands of the waveform subsystem: which record, in which format (reference 1.5 and 1.6).

Raw records hold the converter's samples: with high resolution those before its means, of an average nothing. Whether a
real instrument says `RAW` or `MAX` of a raw record, it means the same while it is stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.rendering import AVERAGE_POINTS
from instruments.simulated.sample_rate import MEASUREMENT_POINTS, POINT_CHOICES
from instruments.simulated.scope_settings import AcquisitionKind, RunState
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import (
    bytes_to_block,
    nearest,
    number_to_nr1,
    number_to_nr3,
    switch_to_text,
    text_to_choice,
    text_to_number,
    text_to_switch,
)
from instruments.simulated.sweep import Record
from instruments.simulated.vertical import CLIPPED_LOW, HOLE, REFERENCE_WORD, word_increment

_SOURCES = (
    "CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4", "POD1",
    "BUS1", "FUNCtion", "MATH", "SBUS1", "WMEMory1", "WMEMory2",
)  # fmt: skip
"""Those after the pod are taken, and have no data in this world."""
_TYPE_NUMBERS = {
    AcquisitionKind.NORMAL: 0,
    AcquisitionKind.PEAK: 1,
    AcquisitionKind.AVERAGE: 2,
    AcquisitionKind.HIGH_RESOLUTION: 3,
}
_FORMAT_NUMBERS = {"BYTE": 0, "WORD": 1, "ASC": 4}


@dataclass(slots=True)
class _Format:
    source: str = "CHAN1"
    format: str = "BYTE"
    byte_order: str = "MSBF"
    unsigned: bool = True
    mode: str = "NORM"
    raw: bool = False
    points: int | None = None


@dataclass(frozen=True, slots=True)
class _Axis:
    interval_s: float
    origin_s: float
    increment: float
    origin: float
    reference: int


class WaveformCommands:
    """Answers of the waveform subsystem about the record on screen."""

    def __init__(
        self, acquisition: Acquisition, report: Callable[[int], None], *, linger_armed: Callable[[], None]
    ) -> None:
        """Take what the commands work on.

        Args:
            acquisition: the record on screen, and its settings.
            report: queues an error.
            linger_armed: called where the answer takes longer because an acquisition runs.
        """
        self._acquisition = acquisition
        self._report = report
        self._linger_armed = linger_armed
        self._format = _Format()

    def reset(self) -> None:
        """Return to the default formats."""
        self._format = _Format()

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        self._add_formats(tree)
        tree.add("WAVeform:POINts", write=self._set_points, query=self._answer_points)
        tree.add("WAVeform:POINts:MODE", write=self._set_mode, query=lambda _: self._format.mode)
        tree.add("WAVeform:PREamble", query=lambda _: self._preamble())
        tree.add("WAVeform:DATA", query=lambda _: self._data())
        tree.add("WAVeform:TYPE", query=lambda _: self._kind().value)
        tree.add("WAVeform:COUNt", query=lambda _: number_to_nr1(self._count()))
        tree.add("WAVeform:XREFerence", query=lambda _: "+0")
        for node, name in (("XINCrement", "interval_s"), ("XORigin", "origin_s"), ("YINCrement", "increment")):
            tree.add(f"WAVeform:{node}", query=partial(self._axis_value, name))
        tree.add("WAVeform:YORigin", query=lambda _: number_to_nr3(self._axis().origin))
        tree.add("WAVeform:YREFerence", query=lambda _: number_to_nr1(self._axis().reference))

    def _add_formats(self, tree: ScpiTree) -> None:
        form = self
        tree.add("WAVeform:SOURce", write=self._set_source, query=lambda _: form._format.source)
        tree.add(
            "WAVeform:FORMat",
            write=lambda call: setattr(form._format, "format", text_to_choice(call.text(), ("WORD", "BYTE", "ASCii"))),
            query=lambda _: form._format.format,
        )
        tree.add(
            "WAVeform:BYTeorder",
            write=lambda call: setattr(
                form._format, "byte_order", text_to_choice(call.text(), ("MSBFirst", "LSBFirst"))
            ),
            query=lambda _: form._format.byte_order,
        )
        tree.add(
            "WAVeform:UNSigned",
            write=lambda call: setattr(form._format, "unsigned", text_to_switch(call.text())),
            query=lambda _: switch_to_text(form._format.unsigned),
        )

    def _set_source(self, call: Call) -> None:
        source = text_to_choice(call.text(), _SOURCES)
        self._format.source = source
        # A hidden source is switched on (reference 1.4); it has data from the next acquisition on.
        settings = self._acquisition.settings
        if source == "POD1":
            settings.pod.displayed = True
        elif source.startswith("CHAN"):
            settings.channels[int(source[-1])].displayed = True

    def _set_mode(self, call: Call) -> None:
        mode = text_to_choice(call.text(), ("NORMal", "MAXimum", "RAW"))
        # Asked for RAW, this firmware reads back MAX (reference 1.4).
        self._format.mode = "MAX" if mode == "RAW" else mode
        self._format.raw = mode == "RAW"
        self._format.points = None

    def _set_points(self, call: Call) -> None:
        if call.text().upper() in ("MAX", "MAXIMUM"):
            self._format.raw &= self._format.mode == "MAX"
            self._format.mode, self._format.points = "MAX", None
            return
        if call.text().upper() in ("NORM", "NORMAL", "RAW"):
            self._set_mode(call)
            return
        wanted = text_to_number(call.text())
        record = self._acquisition.current_record()
        available = self._available(record) if record is not None else POINT_CHOICES[-1]
        self._format.points = nearest(wanted, POINT_CHOICES)
        if not POINT_CHOICES[0] <= wanted <= available:
            raise ScpiError(-222)

    def _answer_points(self, _: Call) -> str:
        if self._acquisition.acquiring:
            self._linger_armed()
        return number_to_nr1(self._point_count())

    def _available(self, record: Record) -> int:
        """Return the most points that the record yields in the mode and state as they are."""
        if record.averages:
            # The raw record of an average is empty [KS].
            return 0 if self._format.raw else min(AVERAGE_POINTS, record.point_count)
        return record.point_count if self._is_raw(record) else min(MEASUREMENT_POINTS, record.point_count)

    def _is_raw(self, record: Record) -> bool:
        """Return whether it is the acquisition record that comes, and not the measurement record made from it."""
        return (
            self._format.mode == "MAX"
            and record.sweep.settings.kind is not AcquisitionKind.PEAK
            and self._acquisition.state is RunState.STOP
            and record.sweep.settings.time_base.mode == "MAIN"
        )

    def _kind(self) -> AcquisitionKind:
        record = self._acquisition.current_record()
        return self._acquisition.settings.kind if record is None else record.sweep.settings.kind

    def _count(self) -> int:
        """Return the acquisitions that the record is the mean of."""
        record = self._acquisition.current_record()
        return 1 if record is None else max(1, record.averages)

    def _point_count(self) -> int:
        record = self._acquisition.current_record()
        if record is None or self._codes(record) is None:
            return 0
        available = self._available(record)
        return available if self._format.points is None else min(self._format.points, available)

    def _codes(self, record: Record) -> NDArray[np.uint16] | None:
        if self._format.source == "POD1":
            return None if record.pod is None else record.pod.astype(np.uint16)
        if not self._format.source.startswith("CHAN"):
            return None
        number = int(self._format.source[-1])
        if record.converted and self._is_raw(record):
            return record.converted.get(number)
        return record.extremes.get(number) if record.extremes else record.codes.get(number)

    def _axis(self) -> _Axis:
        record = self._acquisition.current_record()
        count = self._point_count()
        if record is None or count == 0:
            return _Axis(0.0, 0.0, 0.0, 0.0, 0)
        interval_s = record.interval_s * (record.point_count / count)
        if self._format.source == "POD1":
            return _Axis(interval_s, record.origin_s, 1.0, 0.0, 0)
        channel = record.sweep.settings.channels[int(self._format.source[-1])]
        width = 256 if self._format.format == "BYTE" else 1
        reference = REFERENCE_WORD // width if self._format.unsigned else 0
        return _Axis(interval_s, record.origin_s, word_increment(channel) * width, channel.offset, reference)

    def _axis_value(self, name: str, _: Call) -> str:
        return number_to_nr3(getattr(self._axis(), name))

    def _preamble(self) -> str:
        axis = self._axis()
        form, kind = _FORMAT_NUMBERS[self._format.format], _TYPE_NUMBERS[self._kind()]
        whole = ",".join(number_to_nr1(number) for number in (form, kind, self._point_count(), self._count()))
        times = f"{number_to_nr3(axis.interval_s)},{number_to_nr3(axis.origin_s)},+0"
        values = f"{number_to_nr3(axis.increment)},{number_to_nr3(axis.origin)},{number_to_nr1(axis.reference)}"
        return f"{whole},{times},{values}"

    def _data(self) -> bytes:
        record = self._acquisition.current_record()
        codes = None if record is None else self._codes(record)
        if record is None or codes is None:
            self._report(-230)
            return bytes_to_block(b"")
        if self._format.source == "POD1" and not self._format.unsigned:
            self._report(-221)
            return bytes_to_block(b"")
        return bytes_to_block(self._encoded(_selected(codes, self._point_count())))

    def _encoded(self, codes: NDArray[np.uint16]) -> bytes:
        form = self._format
        if form.format == "ASC":
            axis = self._axis()
            # Codes are unsigned in here, whatever `:WAVeform:UNSigned` says of those that are sent.
            reference = 0 if form.source == "POD1" else REFERENCE_WORD
            values = (codes.astype(np.float64) - reference) * axis.increment + axis.origin
            return ", ".join(f"{value:.5E}" for value in values).encode("ascii")
        is_pod = form.source == "POD1"
        if form.format == "BYTE":
            narrow = codes.astype(np.uint8) if is_pod else _words_to_bytes(codes)
            return (narrow if form.unsigned else narrow - np.uint8(128)).tobytes()
        words = codes if form.unsigned else codes - np.uint16(REFERENCE_WORD)
        return words.astype("<u2" if form.byte_order == "LSBF" else ">u2", copy=False).tobytes()


def _words_to_bytes(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    narrow = (codes >> 8).astype(np.uint8)
    narrow[(codes >= CLIPPED_LOW) & (narrow == HOLE)] = CLIPPED_LOW
    return narrow


def _selected(codes: NDArray[np.uint16], count: int) -> NDArray[np.uint16]:
    """Return what is delivered of that many points: every so-manieth code, or each stretch's extremes in pairs."""
    if count == 0:
        return codes[:0].ravel()
    starts = np.floor(np.arange(count) * (codes.shape[0] / count)).astype(np.intp)
    if codes.ndim == 1:
        return codes if count == codes.size else np.asarray(codes[starts])
    low, high = np.minimum.reduceat(codes[:, 0], starts), np.maximum.reduceat(codes[:, 1], starts)
    return np.asarray(np.stack([low, high], axis=1).ravel())
