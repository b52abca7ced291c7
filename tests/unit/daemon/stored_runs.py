"""Runs put into a store for tests, with results of a given energy."""

from typing import Any

from daemon.store import Store
from runners.messages import BudgetTerm, QualityReason, Quantity, RunResult


def add_run(
    store: Store,
    run_id: str,
    *,
    network: str = "alexnet",
    batch_size: int = 1,
    energy_j: float | None = 1.0,
    quality: str = "valid",
    budget_changes: dict[str, Any] | None = None,
    board: str = "b",
    precision: str = "fp32",
) -> None:
    """Enter a finished run whose result has a common gain error of 2 % and a random one of 0.1 %."""
    store.create_run(
        run_id=run_id, board=board, network=network, batch_size=batch_size, precision=precision,
        images_planned=None, captures=1,
    )  # fmt: skip
    for state in ("armed", "captured", "analysing"):
        store.record(run_id, event=state, state=state)
    result = _result(run_id, network, batch_size, energy_j, quality, budget_changes or {})
    store.add_result(result.model_dump(mode="json") | {"board": board, "precision": precision})
    store.record(run_id, event="analysed", state="done")


def _result(
    run_id: str, network: str, batch_size: int, energy_j: float | None, quality: str, changes: dict[str, Any]
) -> RunResult:
    budget: tuple[BudgetTerm, ...] = ()
    gross = None
    if energy_j is not None:
        gross = Quantity(value=energy_j, standard_uncertainty=0.02 * energy_j, expanded_uncertainty_95=0.04 * energy_j)
        gain = {"term": "probe gain", "quantity": "gain (1)", "source": "data sheet", "common": "b: probe gain"}
        noise = {"term": "noise", "quantity": "energy (J)", "source": "scatter", "degrees_of_freedom": 18.0}
        budget = (
            BudgetTerm(**(gain | {"standard_uncertainty_j": 0.02 * energy_j, "share": 0.99} | changes)),
            BudgetTerm(**(noise | {"standard_uncertainty_j": 0.001 * energy_j, "share": 0.01})),
        )
    code = {"invalid": "probe_dead", "degraded": "drift"}.get(quality)
    reasons = () if code is None else (QualityReason(code=code, text=code),)
    return RunResult(
        run_id=run_id, result_id=f"{run_id}-result", board="b", network=network, batch_size=batch_size,
        precision="fp32", images=8, batches=8, captures=1, gross_energy_per_image_j=gross, sync="marker",
        quality=quality, reasons=reasons, budget=budget, software_version="0", at_utc_ns=1,
    )  # fmt: skip
