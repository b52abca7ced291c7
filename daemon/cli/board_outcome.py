"""What the board's verbs print of a run that they performed."""

from dataclasses import asdict
from typing import Any

from daemon.quantity_text import quantity_text
from runners.count_text import count_text
from runners.run_outcome import RunOutcome


def outcome_document(outcome: RunOutcome) -> dict[str, Any]:
    """Return a run as a JSON document."""
    report = None if outcome.report is None else asdict(outcome.report)
    result = None if outcome.result is None else outcome.result.model_dump(mode="json")
    return {
        "run_id": outcome.run_id,
        "state": outcome.state.value,
        "reason": outcome.reason,
        "text": outcome.text,
        "result": result,
        "report": report,
    }


def outcome_sentence(outcome: RunOutcome) -> str:
    """Return a run that is done in words."""
    result = outcome.result
    assert result is not None
    energies = [
        f"{name} {quantity_text(energy.value, energy.expanded_uncertainty_95, unit='J')}"
        for name, energy in (("gross", result.gross_energy_per_image_j), ("net", result.net_energy_per_image_j))
        if energy is not None
    ]
    reasons = "".join(f"\n  {reason.code}: {reason.text}" for reason in result.reasons)
    energy_text = ", ".join(energies) or "no energy"
    images = count_text(result.images, "image")
    return f"run {result.run_id}: per image {energy_text} (95 %); {result.quality}, {images}{reasons}"
