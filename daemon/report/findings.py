"""Findings: the paper's four, each tested on the data; how each is judged stands with it (decision 40)."""

from collections.abc import Callable, Sequence

from daemon.report import finding_bound, finding_hyperbola, finding_operations, finding_power
from daemon.report.finding import Finding, Verdict
from daemon.report.material import Material
from daemon.report.measured_cell import MeasuredCell
from metrology.errors import MetrologyError

Judge = Callable[[Sequence[MeasuredCell]], Finding]


def judge_findings(material: Material) -> tuple[Finding, ...]:
    """Return the four findings in the paper's order; one that cannot be computed says why."""
    power, hyperbola, bound, operations = finding_power, finding_hyperbola, finding_bound, finding_operations
    return (
        _judged(power.judge_power, material.shown, power.CLAIM, power.NULL),
        _judged(hyperbola.judge_hyperbola, material.smallest, hyperbola.CLAIM, hyperbola.NULL),
        _judged(bound.judge_bound, material.smallest, bound.CLAIM, bound.NULL),
        _judged(operations.judge_operations, material.shown, operations.CLAIM, operations.NULL),
    )


def _judged(judge: Judge, cells: Sequence[MeasuredCell], claim: str, null: str) -> Finding:
    try:
        return judge(cells)
    except MetrologyError as error:
        return Finding(claim=claim, verdict=Verdict.UNTOLD, null=null, evidence=f"It cannot be computed: {error}.")
