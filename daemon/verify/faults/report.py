"""Report: what the faults of a campaign did, all portions together."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.verify.faults.evidence import NO_FAULT, Evidence
from daemon.verify.faults.judge import Crime, Finding, how_it_ended, is_valid, judged

LEAST_VALID = 0.95
"""Of the runs that no fault touched, at least this part is to be valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultReport:
    """What came of all faults."""

    runs: int
    """Runs that were asked for."""
    faults: int
    """Faults that struck."""
    findings: tuple[Finding, ...]
    """What must not be, each."""
    by_fault: Mapping[str, Mapping[str, Any]]
    """For each fault: `count` of its strikes, and how the runs `ended`; for `none`: `runs` that no fault touched, how
    many of them were `valid`, and how all of them `ended`."""
    notes: tuple[str, ...]
    """What else was odd."""

    def count(self, crime: Crime) -> int:
        """Return how often something happened that must not."""
        return sum(finding.crime is crime for finding in self.findings)

    @property
    def passed(self) -> bool:
        """Whether nothing happened that must not, and enough of the runs that no fault touched are valid."""
        untouched = self.by_fault[NO_FAULT]
        return not self.findings and untouched["valid"] >= LEAST_VALID * untouched["runs"]

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        crimes = {crime.value: self.count(crime) for crime in Crime}
        return {"runs": self.runs, "faults": self.faults, **crimes, "by_fault": self.by_fault}


def report_of(portions: Iterable[Evidence]) -> FaultReport:
    """Judge all portions of a campaign, and sum up."""
    evidence = sorted(portions, key=lambda one: one.portion)
    ends: dict[str, Counter[str]] = {NO_FAULT: Counter()}
    struck: Counter[str] = Counter()
    valid = 0
    for one in evidence:
        struck.update(one.faults)
        for run in one.seen:
            kept = one.kept.get(run.run_id)
            ends.setdefault(run.fault, Counter())[how_it_ended(run, kept)] += 1
            valid += run.fault == NO_FAULT and is_valid(kept)
    untouched = ends.pop(NO_FAULT)
    by_fault: dict[str, Any] = {
        name: {"count": struck[name], "ended": dict(ends[name].most_common())} for name in sorted(ends)
    }
    by_fault[NO_FAULT] = {"runs": untouched.total(), "valid": valid, "ended": dict(untouched.most_common())}
    return FaultReport(
        runs=sum(len(one.seen) for one in evidence),
        faults=struck.total(),
        findings=tuple(finding for one in evidence for finding in judged(one)),
        by_fault=by_fault,
        notes=tuple(f"portion {one.portion}: {note}" for one in evidence for note in one.notes),
    )
