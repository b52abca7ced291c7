"""Capture reader: stored captures for the page, drawn or as files for other programs."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from daemon.capture_facts import RECORDING_KEY, SUPPLY_KEY
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.errors import CaptureFileError
from daemon.export.capture_file import CaptureFormat, contents_of
from daemon.measurement import Measurement
from daemon.records import CaptureRecord, ResultRecord
from daemon.store import Store
from daemon.web.waveform import Drawn, waveform_bytes
from instruments.simulated_identity import is_simulated
from metrology.errors import JoulebenchError

KEPT_WAVEFORMS = 4
"""Waveforms that are kept as they were sent, 600 kB each: whoever asks again takes no time from who measures."""
DOWNLOAD_LIMIT = 2_000_000
"""Samples that are turned into another format for a browser at most: as CSV they take 100 MB of memory."""

Key = tuple[str, str | None, int]


class TooLarge(Exception):
    """It is more than the daemon turns into another format; the text says who does."""


class CaptureReader:
    """Reads captures; every method blocks."""

    def __init__(self, configuration: Configuration, store: Store) -> None:
        self._files = CaptureFiles(configuration.storage.captures_directory)
        self._measurement = Measurement(configuration, store, self._files, version="")
        self._sent: OrderedDict[Key, bytes] = OrderedDict()
        self._last: tuple[Key, Drawn] | None = None

    def is_kept(self, name: str) -> bool:
        """Return whether the file of a capture is there."""
        return self._files.path(name).is_file()

    def is_simulated(self, records: Iterable[CaptureRecord]) -> bool | None:
        """Return whether captures are a simulated bench's; None where none is kept that tells."""
        for one in records:
            with suppress(CaptureFileError):  # who asks for its waveform hears that it is damaged
                told = is_simulated(self._files.describe(one.name).get("instruments") or {})
                if told is not None:
                    return told
        return None

    def waveform(self, record: CaptureRecord, result: ResultRecord | None, part: range | None) -> bytes:
        """Return a capture, or a part of it, as `daemon.web.waveform` has it.

        Raises:
            CaptureFileError: its file is damaged.
        """
        key = self._key(record, result)
        if part is not None:
            return waveform_bytes(self._drawn(key, record, result), part)
        if key not in self._sent:
            while len(self._sent) >= KEPT_WAVEFORMS:
                self._sent.popitem(last=False)
            self._sent[key] = waveform_bytes(self._drawn(key, record, result))
        return self._sent[key]

    def export(self, record: CaptureRecord, form: CaptureFormat) -> tuple[str, bytes]:
        """Return a capture in another format, with the name of its file; raw codes and their side file in one ZIP.

        Raises:
            TooLarge: it has too many samples for that.
            CaptureFileError: its file is damaged.
        """
        capture = self._files.read(record.name, expected_sha256=record.sha256)
        if (count := capture.time_base.sample_count) > DOWNLOAD_LIMIT:
            raise TooLarge(
                f"capture {record.capture_id} has {count} samples, and {DOWNLOAD_LIMIT} are turned into {form.value} "
                f"here at most: use `joulebench captures export {record.run_id} --format {form.value}`"
            )
        contents = contents_of(capture, self._files.describe(record.name), form)
        name = f"{record.capture_id}.{form.value}"
        if set(contents) == {""}:
            return name, contents[""]
        return f"{name}.zip", _zipped({name + ending: content for ending, content in contents.items()})

    def _key(self, record: CaptureRecord, result: ResultRecord | None) -> Key:
        # A file that was damaged since must not be drawn from memory.
        changed_ns = self._files.path(record.name).stat().st_mtime_ns
        return record.sha256, None if result is None else result.result_id, changed_ns

    def _drawn(self, key: Key, record: CaptureRecord, result: ResultRecord | None) -> Drawn:
        if self._last is None or self._last[0] != key:
            self._last = None  # one record in memory at a time, whatever its length
            self._last = key, self._read(record, result)
        return self._last[1]

    def _read(self, record: CaptureRecord, result: ResultRecord | None) -> Drawn:
        capture = self._files.read(record.name, expected_sha256=record.sha256)
        extra = self._files.describe(record.name)["extra"]
        drawn = Drawn(
            capture=capture,
            supply_voltage_v=(extra.get(SUPPLY_KEY) or {}).get("loaded_voltage_v"),
            recording=extra.get(RECORDING_KEY),
        )
        if result is None:
            return drawn
        drawn = replace(drawn, placed_by=result.document.get("sync"))
        try:
            return replace(drawn, placement=self._measurement.placement(result, record))
        except (JoulebenchError, KeyError, TypeError, ValueError) as error:
            why = str(error) if isinstance(error, JoulebenchError) else f"the capture does not say enough ({error})"
            return replace(drawn, problem=why)


def _zipped(contents: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()
