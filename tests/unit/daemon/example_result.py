"""A result message as it is published, for tests of what keeps and shows results."""

from typing import Any


def quantity(value: float, expanded_uncertainty_95: float) -> dict[str, Any]:
    return {
        "value": value,
        "standard_uncertainty": expanded_uncertainty_95 / 2,
        "degrees_of_freedom": None,
        "expanded_uncertainty_95": expanded_uncertainty_95,
    }


def example_result(*, run_id: str, result_id: str, at_utc_ns: int = 1_790_000_000_000_000_000) -> dict[str, Any]:
    return {
        "v": 1,
        "run_id": run_id,
        "result_id": result_id,
        "board": "tx1",
        "network": "resnet18",
        "batch_size": 4,
        "precision": "fp32",
        "images": 96,
        "batches": 24,
        "captures": 2,
        "gross_energy_per_image_j": quantity(0.3141592653589793, 0.0123),
        "net_energy_per_image_j": quantity(0.25, 0.0124),
        "batch_energy_per_image_j": quantity(0.30, 0.0123),
        "mean_power_w": quantity(13.2, 0.5),
        "idle_power_w": quantity(2.8, 0.5),
        "images_per_s": 53.3,
        "sync": "marker",
        "quality": "degraded",
        "reasons": [{"code": "calibration_missing", "text": "no certificate fits [channel 1]"}],
        "budget": [
            term("noise", "current noise", 0.0001, 0.0003),
            term("probe_gain", "probe gain", 0.0055, 0.8),
            term("probe_zero", "probe zero", 0.0027, 0.1997),
        ],
        "software_version": "0.1.0",
        "capture_ids": [f"{run_id}_0", f"{run_id}_1"],
        "certificate_ids": [],
        "at_utc_ns": at_utc_ns,
    }


def term(name: str, quantity_name: str, standard_uncertainty_j: float, share: float) -> dict[str, Any]:
    return {
        "term": name,
        "quantity": quantity_name,
        "standard_uncertainty_j": standard_uncertainty_j,
        "share": share,
        "source": "data sheet",
    }
