"""Result message: what became of a run, as the contract has it."""

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from daemon.records import RunRecord
from metrology.analysis import RunAnalysis
from metrology.estimate import Quantity as MeasuredQuantity
from metrology.measurement_model import BudgetTerm as MeasuredTerm
from runners.messages import BudgetTerm, QualityReason, Quantity, RunResult


def result_message(
    run: RunRecord,
    analysis: RunAnalysis,
    *,
    capture_ids: Sequence[str],
    version: str,
    sync: str | None = None,
    certificate_ids: tuple[str, ...] = (),
    certificate_sha256s: tuple[str, ...] = (),
) -> RunResult:
    """Return the message of a run's result, under an identifier of its own.

    Args:
        run: the run; it is finished.
        analysis: what was measured.
        capture_ids: the captures it rests on.
        version: the software's.
        sync: how the windows were found; None: by the rung that the analysis stands on.
        certificate_ids: calibration certificates that were used.
        certificate_sha256s: checksum of each.
    """
    finished: Mapping[str, Any] = run.finished or {}
    rate = analysis.images_per_s
    return RunResult(
        run_id=run.run_id,
        result_id=str(uuid.uuid4()),
        board=run.board,
        network=run.network,
        batch_size=run.batch_size,
        precision=run.precision,
        backend=run.backend,
        images=finished["images"],
        batches=finished["batches"],
        captures=len(capture_ids),
        images_per_s=rate,
        image_duration_s=None if not rate else 1 / rate,
        sync=sync or analysis.rung.value,
        quality=analysis.verdict.value,
        reasons=reasons_of(analysis),
        software_version=version,
        capture_ids=tuple(capture_ids),
        certificate_ids=certificate_ids,
        certificate_sha256s=certificate_sha256s,
        at_utc_ns=time.time_ns(),
        **quantities_of(analysis),
    )


def reasons_of(analysis: RunAnalysis) -> tuple[QualityReason, ...]:
    """Return one reason a code, so that a run of a thousand captures fits into a message; the first one speaks."""
    texts: dict[str, list[str]] = {}
    for reason in analysis.reasons:
        texts.setdefault(reason.code.value, []).append(reason.text)
    return tuple(QualityReason(code=code, text=_first_of(found)) for code, found in texts.items())


def _first_of(texts: list[str]) -> str:
    more = f" (and {len(texts) - 1} more of this kind)" if len(texts) > 1 else ""
    return texts[0][: 1000 - len(more)] + more


def quantities_of(analysis: RunAnalysis) -> dict[str, Any]:
    """Return what was measured, by the keys of the message; empty where no energy was."""
    energy = analysis.energy
    if energy is None:
        return {}
    return {
        "gross_energy_per_image_j": _quantity(energy.gross_energy_per_image_j),
        "net_energy_per_image_j": _quantity(energy.net_energy_per_image_j),
        "batch_energy_per_image_j": _quantity(energy.batch_energy_per_image_j),
        "mean_power_w": _quantity(energy.mean_power_w),
        "idle_power_w": _quantity(energy.idle_power_w),
        "budget": tuple(_budget_term(term) for term in energy.budget),
    }


def _budget_term(term: MeasuredTerm) -> BudgetTerm:
    return BudgetTerm(**(asdict(term) | {"degrees_of_freedom": _finite(term.degrees_of_freedom)}))


def _finite(freedom: float) -> float | None:
    """Return degrees of freedom as the contract has them: null where they are infinite."""
    return freedom if math.isfinite(freedom) else None


def _quantity(measured: MeasuredQuantity | None) -> Quantity | None:
    if measured is None:
        return None
    return Quantity(
        value=measured.value,
        standard_uncertainty=measured.standard_uncertainty,
        degrees_of_freedom=_finite(measured.degrees_of_freedom),
        expanded_uncertainty_95=measured.expanded_uncertainty_95,
    )
