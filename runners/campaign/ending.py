"""Ending: how one attempt at a run ended, and what a campaign makes of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from runners.messages import RunPhase, RunResult

REFUSED_FOR_GOOD = frozenset(
    {
        "bad_message",
        "images_not_whole_batches",
        "malformed_message",
        "missing_weights",
        "out_of_memory",
        "sync_unavailable",
        "too_many_captures",
        "unknown_network",
        "unsupported",
    }
)
"""Reason codes that another attempt would end with again; any other may pass."""


class Verdict(StrEnum):
    """What a campaign makes of an attempt."""

    DONE = "done"
    """Measured; never repeated."""
    REFUSED = "refused"
    """Will not go on this board or this bench, however often it is asked for."""
    FAILED = "failed"
    """Failed for a reason that may pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one attempt ended."""

    state: RunPhase
    """The run's last phase."""
    reason: str | None = None
    """Reason code; None where the run is done."""
    text: str | None = None
    """The reason in words."""
    result: RunResult | None = None
    """The energy; None where the run is not done."""

    @property
    def verdict(self) -> Verdict:
        """What a campaign makes of it."""
        if self.state is RunPhase.DONE:
            return Verdict.DONE
        return Verdict.REFUSED if self.reason in REFUSED_FOR_GOOD else Verdict.FAILED

    def document(self) -> dict[str, Any]:
        """Return what the journal keeps of it, as JSON values; the whole result is in the daemon's store."""
        result = self.result
        return {
            "verdict": self.verdict.value,
            "state": self.state.value,
            "reason": self.reason,
            "text": self.text,
            "result_id": result and result.result_id,
            "quality": result and result.quality,
            "reasons": [] if result is None else [reason.code for reason in result.reasons],
            "gross_energy_per_image_j": result and _value(result.gross_energy_per_image_j, "value"),
            "gross_u95_j": result and _value(result.gross_energy_per_image_j, "expanded_uncertainty_95"),
            "net_energy_per_image_j": result and _value(result.net_energy_per_image_j, "value"),
            "net_u95_j": result and _value(result.net_energy_per_image_j, "expanded_uncertainty_95"),
        }


def _value(quantity: object, name: str) -> float | None:
    return None if quantity is None else float(getattr(quantity, name))
