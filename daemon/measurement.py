"""Measurement: keeps a run's captures, and computes its result from what is kept."""

import math
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Any

from daemon.accuracy import declared_influences
from daemon.bench_keeper import Record
from daemon.captures import CaptureFiles, CaptureReference
from daemon.configuration import Configuration
from daemon.errors import StoreError
from daemon.records import CaptureRecord, RunRecord
from daemon.sections.storage import MissingCertificate
from daemon.store import Store
from metrology.analysis import MeasuredCapture, RunAnalysis, RunFacts, analyse
from metrology.estimate import Quantity as MeasuredQuantity
from metrology.quality import Reason, calibration_missing_reason
from metrology.supply import SupplyConditions
from runners.messages import BudgetTerm, QualityReason, Quantity, RunFinished, RunResult

CAPTURE_ID_LIMIT = 64
"""Longest identifier of the contract."""
SUPPLY_KEY = "supply"
"""Where a capture's file keeps what the supply said around it."""


class Measurement:
    """Captures in, results out. Every method may be called from any thread, one call at a time for each run."""

    def __init__(self, configuration: Configuration, store: Store, files: CaptureFiles, *, version: str) -> None:
        self._configuration = configuration
        self._store = store
        self._files = files
        self._version = version

    def keep(self, run_id: str, index: int, record: Record) -> CaptureReference:
        """Store a record and enter it; on return it is on the disk.

        Raises:
            CaptureFileError: the file could not be written.
            StoreError: the database refused.
        """
        extra = {"run_id": run_id, "capture_index": index, SUPPLY_KEY: asdict(record.supply)}
        reference = self._files.write(capture_id_of(run_id, index), record.capture, extra)
        self._store.add_capture(run_id, index, reference)
        return reference

    def result(self, run_id: str) -> RunResult:
        """Compute a run's result from its stored captures, and enter it beside any earlier one.

        Raises:
            CaptureFileError: a capture's file is missing or damaged.
            StoreError: the run is unknown or unfinished, or the database refused.
        """
        run = self._store.run(run_id)
        if run is None or run.finished is None:
            raise StoreError(f"run {run_id!r} cannot be analysed: {'not finished' if run else 'no such run'}")
        stored = self._store.captures(run_id)
        analysis = self._analyse(run, stored)
        message = self._message(run, analysis, [one.capture_id for one in stored])
        self._store.add_result(message.model_dump(mode="json"))
        return message

    def _analyse(self, run: RunRecord, stored: list[CaptureRecord]) -> RunAnalysis:
        captures = [self._measured(one) for one in stored]
        loaded_v = max((one.supply.loaded_voltage_v for one in captures), default=0.0)
        return analyse(
            captures,
            facts=facts_of(run),
            influences=declared_influences(self._configuration, supply_voltage_v=loaded_v),
            limits=self._configuration.quality.limits(),
            known_reasons=self._bench_reasons(),
        )

    def _bench_reasons(self) -> tuple[Reason, ...]:
        """Return what keeps every run of this bench from being valid."""
        degrade = self._configuration.calibration.missing is MissingCertificate.DEGRADE
        return (calibration_missing_reason(),) if degrade else ()

    def _measured(self, one: CaptureRecord) -> MeasuredCapture:
        extra = self._files.describe(one.name)["extra"]
        return MeasuredCapture(
            name=f"capture {one.capture_index}",
            capture=self._files.read(one.name, expected_sha256=one.sha256),
            supply=SupplyConditions(**extra[SUPPLY_KEY]),
        )

    def _message(self, run: RunRecord, analysis: RunAnalysis, capture_ids: list[str]) -> RunResult:
        finished: Mapping[str, Any] = run.finished or {}
        rate = analysis.images_per_s
        return RunResult(
            run_id=run.run_id,
            result_id=str(uuid.uuid4()),
            board=run.board,
            network=run.network,
            batch_size=run.batch_size,
            precision=run.precision,
            images=finished["images"],
            batches=finished["batches"],
            captures=len(capture_ids),
            images_per_s=rate,
            image_duration_s=None if not rate else 1 / rate,
            sync="marker",
            quality=analysis.verdict.value,
            reasons=_reasons(analysis),
            software_version=self._version,
            capture_ids=tuple(capture_ids),
            at_utc_ns=time.time_ns(),
            **_quantities(analysis),
        )


def capture_id_of(run_id: str, index: int) -> str:
    """Return a capture's identifier: readable where it fits into the contract's 64 characters, hashed where not."""
    plain = f"{run_id}-{index}"
    if len(plain) <= CAPTURE_ID_LIMIT:
        return plain
    return f"{run_id[:40]}-{sha256(run_id.encode()).hexdigest()[:16]}-{index}"


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
    )


def _seconds(duration_ns: int | None) -> float | None:
    """Return a duration in seconds; a board that says zero has said nothing."""
    return None if not duration_ns else duration_ns * 1e-9


def _reasons(analysis: RunAnalysis) -> tuple[QualityReason, ...]:
    """Return one reason a code, so that a run of a thousand captures fits into a message; the first one speaks."""
    texts: dict[str, list[str]] = {}
    for reason in analysis.reasons:
        texts.setdefault(reason.code.value, []).append(reason.text)
    return tuple(QualityReason(code=code, text=_first_of(found)) for code, found in texts.items())


def _first_of(texts: list[str]) -> str:
    more = f" (and {len(texts) - 1} more of this kind)" if len(texts) > 1 else ""
    return texts[0][: 1000 - len(more)] + more


def _quantities(analysis: RunAnalysis) -> dict[str, Any]:
    energy = analysis.energy
    if energy is None:
        return {}
    return {
        "gross_energy_per_image_j": _quantity(energy.gross_energy_per_image_j),
        "net_energy_per_image_j": _quantity(energy.net_energy_per_image_j),
        "batch_energy_per_image_j": _quantity(energy.batch_energy_per_image_j),
        "mean_power_w": _quantity(energy.mean_power_w),
        "idle_power_w": _quantity(energy.idle_power_w),
        "budget": tuple(BudgetTerm(**asdict(term)) for term in energy.budget),
    }


def _quantity(measured: MeasuredQuantity | None) -> Quantity | None:
    if measured is None:
        return None
    freedom = measured.degrees_of_freedom
    return Quantity(
        value=measured.value,
        standard_uncertainty=measured.standard_uncertainty,
        degrees_of_freedom=freedom if math.isfinite(freedom) else None,
        expanded_uncertainty_95=measured.expanded_uncertainty_95,
    )
