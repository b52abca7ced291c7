"""Record rows: a record from a row of its table, and the row of a result from its message."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row

from daemon.records import JournalEntry, RunRecord
from runners.messages import RunPhase


def run_of_row(row: Row[Any]) -> RunRecord:
    """Return the run that a row of `runs` tells of."""
    return RunRecord(**{**row._mapping, "sync": tuple(row.sync), "state": RunPhase(row.state)})


def entry_of_row(row: Row[Any]) -> JournalEntry:
    """Return the entry that a row of `journal` tells of."""
    return JournalEntry(**{**row._mapping, "state": row.state and RunPhase(row.state)})


def row_of_result(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result message's row: the columns one asks by, and the whole document.

    Raises:
        KeyError: the document lacks a field.
    """
    gross, net = document["gross_energy_per_image_j"], document["net_energy_per_image_j"]
    names = ("result_id", "run_id", "network", "batch_size", "quality", "at_utc_ns")
    return {name: document[name] for name in names} | {
        "gross_energy_per_image_j": gross and gross["value"],
        "gross_u95_j": gross and gross["expanded_uncertainty_95"],
        "net_energy_per_image_j": net and net["value"],
        "net_u95_j": net and net["expanded_uncertainty_95"],
        "document": dict(document),
    }
