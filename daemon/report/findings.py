"""Findings: the paper's four, each tested on the data; how each is judged stands with it (decision 40)."""

from daemon.report.finding import Finding
from daemon.report.finding_bound import judge_bound
from daemon.report.finding_hyperbola import judge_hyperbola
from daemon.report.finding_operations import judge_operations
from daemon.report.finding_power import judge_power
from daemon.report.material import Material


def judge_findings(material: Material) -> tuple[Finding, ...]:
    """Return the four findings in the paper's order."""
    return (
        judge_power(material.shown),
        judge_hyperbola(material.smallest),
        judge_bound(material.smallest),
        judge_operations(material.shown),
    )
