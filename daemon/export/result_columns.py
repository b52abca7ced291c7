"""Result columns: one run and one of its results as a flat row, the unit of each number in its column's name."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from daemon.records import ResultRecord, RunRecord
from runners.networks.catalogue import NETWORKS
from runners.networks.paper import PAPER_VALUES

_SPECS = {spec.name: spec for spec in NETWORKS}

RUN_COLUMNS: Final = {
    "run_id": "text",
    "bench": "text",
    "board": "text",
    "network": "text",
    "batch_size": "count",
    "precision": "text",
    "backend": "text",
    "state": "text",
    "state_reason": "text",
    "requested_utc_ns": "count",
}
"""What a run itself says: name of the column and kind of what stands in it."""
RESULT_COLUMNS: Final = {
    "result_id": "text",
    "computed_utc_ns": "count",
    "quality": "text",
    "reasons": "text",
    "sync": "text",
    "captures": "count",
    "images": "count",
    "batches": "count",
}
"""What a result says beside quantities; empty where a run has none."""
QUANTITIES: Final = {
    "gross_energy_per_image": "j",
    "net_energy_per_image": "j",
    "batch_energy_per_image": "j",
    "mean_power": "w",
    "idle_power": "w",
}
"""Measured quantities and the suffix of their unit; each has four columns."""
NETWORK_COLUMNS: Final = {
    "network_display_name": "text",
    "input_px": "count",
    "parameters": "count",
    "macs_per_image": "count",
    "operations_per_image": "count",
    "literature_top1_pct": "number",
    "literature_top1_source": "text",
}
"""What is known of the network itself, counted from its definition; empty for one that is not in the catalogue. The
accuracy is the literature's, never a measurement."""
BOARD_COLUMNS: Final = {
    "memory_parameters_bytes": "count",
    "memory_peak_process_bytes": "count",
    "memory_peak_device_bytes": "count",
    "batch_duration_median_s": "number",
}
"""What the board reported of the run; empty where it did not. The peaks are measured, the parameters' size computed."""
LAST_COLUMNS: Final = {
    "images_per_s": "number",
    "image_duration_s": "number",
    "software_version": "text",
    "capture_ids": "text",
    "certificate_ids": "text",
}
"""What a result rests on, last, since it is long."""


def columns() -> dict[str, str]:
    """Return the name of each column and the kind of what stands in it: `text`, `count` or `number`."""
    quantities = {column: "number" for base, unit in QUANTITIES.items() for column in quantity_columns(base, unit)}
    return RUN_COLUMNS | RESULT_COLUMNS | quantities | NETWORK_COLUMNS | BOARD_COLUMNS | LAST_COLUMNS


def quantity_columns(base: str, unit: str) -> tuple[str, str, str, str]:
    """Return the columns of a quantity: value, standard uncertainty, U95 (half width), degrees of freedom."""
    return (
        f"{base}_{unit}",
        f"{base}_standard_uncertainty_{unit}",
        f"{base}_u95_{unit}",
        f"{base}_degrees_of_freedom",
    )


def row_of(run: RunRecord, result: ResultRecord | None) -> dict[str, Any]:
    """Return a run as a row; None stands wherever there is nothing, never 0."""
    document: Mapping[str, Any] = {} if result is None else result.document
    row: dict[str, Any] = dict.fromkeys(columns())
    row |= {name: getattr(run, name) for name in RUN_COLUMNS if name not in {"state", "state_reason"}}
    row |= {"state": run.state.value, "state_reason": run.reason}
    row |= {name: document.get(name) for name in (*RESULT_COLUMNS, *LAST_COLUMNS)}
    row |= {
        "computed_utc_ns": document.get("at_utc_ns"),
        "reasons": _words(reason["code"] for reason in document.get("reasons") or ()),
        "capture_ids": _words(document.get("capture_ids") or ()),
        "certificate_ids": _words(document.get("certificate_ids") or ()),
    }
    row |= _network_facts(run.network) | _board_facts(run.finished or {})
    for base, unit in QUANTITIES.items():
        row |= dict(zip(quantity_columns(base, unit), _figures(document.get(f"{base}_{unit}")), strict=True))
    return row


def _network_facts(name: str) -> dict[str, Any]:
    spec, paper = _SPECS.get(name), PAPER_VALUES.get(name)
    facts: dict[str, Any] = {}
    if spec is not None:
        facts = {
            "network_display_name": spec.display_name,
            "input_px": spec.input_px,
            "parameters": spec.params,
            "macs_per_image": spec.macs,
            "operations_per_image": spec.ops,
        }
    if paper is not None:
        facts |= {
            "literature_top1_pct": paper.literature_top1_pct,
            "literature_top1_source": paper.literature_top1_source,
        }
    return facts


def _board_facts(finished: Mapping[str, Any]) -> dict[str, Any]:
    memory, times = finished.get("memory") or {}, finished.get("times") or {}
    median_ns = times.get("median_ns", finished.get("batch_duration_median_ns"))
    names = ("parameters_bytes", "peak_process_bytes", "peak_device_bytes")
    facts = {f"memory_{name}": memory.get(name) for name in names}
    return facts | {"batch_duration_median_s": None if median_ns is None else median_ns / 1e9}


def _figures(quantity: Mapping[str, Any] | None) -> Iterator[float | None]:
    for name in ("value", "standard_uncertainty", "expanded_uncertainty_95", "degrees_of_freedom"):
        yield None if quantity is None else quantity.get(name)


def _words(words: Any) -> str | None:
    return " ".join(words) or None
