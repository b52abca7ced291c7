"""Run outcome: what became of a run, as the board learnt it."""

from dataclasses import dataclass

from runners.errors import RunFailed, RunnerError, RunRejected
from runners.messages import RunPhase, RunResult
from runners.workload import WorkloadReport


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """How a run ended."""

    run_id: str
    """Identifier of the run."""
    state: RunPhase
    """Its last phase: done, rejected, failed or interrupted."""
    reason: str | None = None
    """Reason code; None where the run is done."""
    text: str | None = None
    """The reason in words."""
    result: RunResult | None = None
    """The energy; None where the run is not done."""
    report: WorkloadReport | None = None
    """What this board ran; None where it did not come to that."""
    cause: RunnerError | None = None
    """What this board met that ended the run; None where the run is done, or the daemon ended it."""

    def raise_unless_done(self) -> None:
        """Raise RunRejected or RunFailed where the run is not done."""
        if self.state is RunPhase.DONE:
            return
        kind = RunRejected if self.state is RunPhase.REJECTED else RunFailed
        raise kind(self.reason or self.state.value, self.text or "no reason was given")
