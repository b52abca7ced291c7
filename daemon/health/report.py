"""Report: what a set of checks came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daemon.readiness import Finding


@dataclass(frozen=True, slots=True)
class Report:
    """Findings, and their verdict."""

    findings: tuple[Finding, ...]
    """One a check."""

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> "Report":
        """Return the report of these findings."""
        return cls(tuple(findings))

    @property
    def ok(self) -> bool:
        """Whether every check is fulfilled."""
        return all(finding.ok for finding in self.findings)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        checks = [
            {"name": one.part, "ok": one.ok, "text": one.text, "remedy": one.remedy or None} for one in self.findings
        ]
        return {"ok": self.ok, "checks": checks}
