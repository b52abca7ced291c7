"""Measurement: keeps a run's captures, and computes its result from what is kept."""

from collections.abc import Sequence
from dataclasses import asdict

from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from daemon.accuracy import Accuracy, accuracy_of
from daemon.bench_configuration import conditions
from daemon.bench_keeper import Record
from daemon.capture_facts import CONDITIONS_KEY, FORCED_KEY, REMOTE_SENSE_KEY, SUPPLY_KEY, capture_id_of
from daemon.captures import CaptureFiles, CaptureReference
from daemon.certificate_choice import CertificateChooser
from daemon.configuration import Configuration
from daemon.errors import StoreError
from daemon.imports.imported_result import imported_placement, imported_result, is_imported
from daemon.measured_capture import measured_capture
from daemon.records import CaptureRecord, ResultRecord, RunRecord
from daemon.result_message import result_message
from daemon.store import Store
from metrology.analysis import MeasuredCapture, RunFacts, analyse
from metrology.clock_offset import ClockExchange
from metrology.clock_windows import BoardTiming
from metrology.ladder import Rung
from metrology.placement import Placement, placement
from runners.messages import RunFinished, RunResult

__all__ = ["SUPPLY_KEY", "Measurement", "capture_id_of", "facts_of"]


class Measurement:
    """Captures in, results out. Every method may be called from any thread, one call at a time for each run."""

    def __init__(self, configuration: Configuration, store: Store, files: CaptureFiles, *, version: str) -> None:
        self._configuration = configuration
        self._store = store
        self._files = files
        self._version = version
        self._conditions = conditions(configuration)
        self._chooser = CertificateChooser(configuration)

    def keep(self, run_id: str, index: int, record: Record) -> CaptureReference:
        """Store a record and enter it; on return it is on the disk.

        Raises:
            CaptureFileError: the file could not be written.
            StoreError: the database refused.
        """
        extra = {
            "run_id": run_id,
            "capture_index": index,
            SUPPLY_KEY: asdict(record.supply),
            FORCED_KEY: None if record.forced is None else asdict(record.forced),
            CONDITIONS_KEY: asdict(self._conditions),
            REMOTE_SENSE_KEY: self._configuration.leads.remote_sense,
        }
        reference = self._files.write(capture_id_of(run_id, index), record.capture, extra)
        self._store.add_capture(run_id, index, reference)
        return reference

    def adopt(self, run: RunRecord) -> int:
        """Enter captures of a run whose files were written and whose rows were not, as a kill in between leaves them.

        Returns:
            how many captures the run has.

        Raises:
            CaptureFileError: a file is damaged.
            StoreError: the database refused.
        """
        entered = {one.capture_index for one in self._store.captures(run.run_id)}
        for index in set(range(run.captures)) - entered:
            reference = self._files.find(capture_id_of(run.run_id, index))
            if reference is not None:
                self._store.add_capture(run.run_id, index, reference)
                entered.add(index)
        return len(entered)

    def result(self, run_id: str, *, certificates: Sequence[str] = ()) -> RunResult:
        """Compute a run's result from its stored captures, and enter it beside any earlier one.

        Args:
            run_id: the run.
            certificates: identifiers of certificates to use instead of those that fit best, each in its kind's place.

        Raises:
            CertificateFileError: a certificate was changed, damaged, or is not there.
            CaptureRemoved: retention has removed a capture's file.
            CaptureFileError: a capture's file is missing or damaged.
            StoreError: the run is unknown or unfinished, or the database refused.
        """
        run = self._store.run(run_id)
        if run is None or run.finished is None:
            raise StoreError(f"run {run_id!r} cannot be analysed: {'not finished' if run else 'no such run'}")
        stored = self._store.captures(run_id)
        if is_imported(self._files, stored):
            return imported_result(self._store, self._files, run, version=self._version)
        captures = [measured_capture(self._files, one) for one in stored]
        accuracy = self._accuracy(run, stored, captures, certificates)
        analysis = analyse(
            captures,
            facts=facts_of(run),
            influences=accuracy.influences,
            limits=self._configuration.quality.limits(),
            known_reasons=accuracy.reasons,
        )
        message = result_message(
            run,
            analysis,
            capture_ids=[one.capture_id for one in stored],
            version=self._version,
            certificate_ids=tuple(one.certificate_id for one in accuracy.certificates),
            certificate_sha256s=accuracy.checksums,
        )
        self._store.add_result(message.model_dump(mode="json"))
        return message

    def placement(self, result: ResultRecord, one: CaptureRecord) -> Placement:
        """Return where one capture's batches lie as a stored result has them, by the certificates that it names.

        Raises:
            CertificateFileError: a certificate was changed, damaged, or is not there.
            CaptureFileError: the capture's file is missing or damaged.
            MetrologyError: the capture cannot be placed any more.
            StoreError: the run is unknown or unfinished, or the database refused.
            KeyError, TypeError, ValueError: the capture or the result does not say what it takes.
        """
        run = self._store.run(result.run_id)
        if run is None or run.finished is None:
            raise StoreError(f"run {result.run_id!r} cannot be placed: {'not finished' if run else 'no such run'}")
        measured = measured_capture(self._files, one)
        if is_imported(self._files, [one]):
            return imported_placement(self._files, one, measured.capture)
        used = result.document.get("certificate_ids") or ()
        accuracy = self._accuracy(run, [one], [measured], used, only=True)
        return placement(
            measured,
            rung=Rung(result.document["sync"]),
            facts=facts_of(run),
            influences=accuracy.influences,
            is_first=one.capture_index == 0,
        )

    def _accuracy(
        self,
        run: RunRecord,
        stored: list[CaptureRecord],
        captures: list[MeasuredCapture],
        demanded: Sequence[str],
        *,
        only: bool = False,
    ) -> Accuracy:
        """Return what is known of the bench's errors at the time of the run, however late it is asked.

        `only`: by no other certificates than those that are demanded.
        """
        circumstances = self._circumstances(run, stored, captures)
        at_utc_ns = stored[0].at_utc_ns if stored else run.requested_utc_ns
        choice = self._chooser.choose(
            circumstances, at_utc_ns=at_utc_ns, demanded=demanded, by_marker="marker" in run.sync
        )
        if only:
            choice = choice.without_all_but(demanded)
        loaded_v = max((one.supply.loaded_voltage_v for one in captures), default=0.0)
        return accuracy_of(self._configuration, choice, circumstances, supply_voltage_v=loaded_v)

    def _circumstances(
        self, run: RunRecord, stored: list[CaptureRecord], captures: list[MeasuredCapture]
    ) -> Circumstances:
        """Return what a run was measured with; what its captures do not say is taken from the configuration."""
        kept = self._files.describe(stored[0].name)["extra"] if stored else {}
        settings = kept.get(CONDITIONS_KEY)
        return Circumstances(
            conditions=self._conditions if settings is None else Conditions(**settings),
            instruments=captures[0].capture.instruments if captures else {},
            remote_sense=kept.get(REMOTE_SENSE_KEY, self._configuration.leads.remote_sense),
            board=run.board,
        )


def facts_of(run: RunRecord) -> RunFacts:
    """Return what the board said of a finished run."""
    report = RunFinished.model_validate(run.finished)
    start_ns, end_ns = report.started_monotonic_ns, report.finished_monotonic_ns
    timed = start_ns is not None and end_ns is not None
    return RunFacts(
        batch_size=run.batch_size,
        batches=report.batches,
        images=report.images,
        captures_planned=run.captures,
        batch_durations_s=tuple(duration_ns * 1e-9 for duration_ns in report.batch_durations_ns),
        batch_duration_s=_seconds(report.batch_duration_median_ns),
        run_duration_s=_seconds(end_ns - start_ns) if timed and end_ns is not None and start_ns is not None else None,
        sync=run.sync,
        timing=_timing(report),
    )


def _timing(report: RunFinished) -> BoardTiming | None:
    """Return when a board ran its batches, as far as it gave both start and duration; None where it gave none."""
    timed = list(zip(report.batch_starts_monotonic_ns, report.batch_durations_ns, strict=False))
    if not timed:
        return None
    return BoardTiming(
        batch_starts_ns=tuple(start_ns for start_ns, _ in timed),
        batch_durations_ns=tuple(duration_ns for _, duration_ns in timed),
        exchanges=tuple(ClockExchange(**one.model_dump()) for one in report.clock_exchanges),
        stamp_bound_s=(report.batch_stamp_bound_ns or 0) * 1e-9,
    )


def _seconds(duration_ns: int | None) -> float | None:
    """Return a duration in seconds; a board that says zero has said nothing."""
    return None if not duration_ns else duration_ns * 1e-9
