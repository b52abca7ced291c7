"""Evidence of runs that went well, for tests to spoil."""

from dataclasses import replace
from typing import Any

from daemon.verify.faults.evidence import NO_FAULT, Evidence, KeptResult, KeptRun, SeenRun, TrueRecord

GOOD_RECORD = TrueRecord(pulses=4, gross_energy_j=8.0, held_voltage=True)
GOOD_RESULT = KeptResult(
    result_id="a", quality="valid", reasons=(), gross_energy_per_image_j=1.0, expanded_uncertainty_j=0.01, batches=4
)
GOOD_RUN = KeptRun(
    state="done", terminal=True, reason=None, finished=True, capture_indices=(0,), results=(GOOD_RESULT,)
)


def seen(run_id: str, **changes: Any) -> SeenRun:
    """Return a run of four batches of two images, measured and told."""
    good = SeenRun(
        run_id=run_id, fault=NO_FAULT, moment="", batch_size=2, batches=4, acknowledged=True, told="done", asked=False,
        told_results=("a",), ended=True, records=(GOOD_RECORD,), duration_s=0.5,
    )  # fmt: skip
    return replace(good, **changes)


def evidence(*runs: tuple[SeenRun, KeptRun | None], portion: int = 0, **changes: Any) -> Evidence:
    """Return the evidence of these runs, each with what the store holds of it; None: it does not know it."""
    struck = tuple(run.fault for run, _ in runs if run.fault != NO_FAULT)
    kept = {run.run_id: one for run, one in runs if one is not None}
    good = Evidence(portion=portion, seed=(1, portion), seen=tuple(run for run, _ in runs), kept=kept, faults=struck)
    return replace(good, **changes)
