"""Tables of runs for people: a list, one run, its budget and its journal."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from daemon.quantity_text import ABSENT, quantity_text
from daemon.records import CaptureRecord, JournalEntry, ResultRecord, RunRecord
from daemon.retention import removed_text
from runners.size_text import size_text

WIDE = 124
"""Columns from which on a list of runs has room for everything."""
MIDDLE = 96
"""Columns from which on it has room for the net energy."""
LONGEST_DETAIL = 160
"""Characters of a journal's detail in a table; a board's report is thousands."""


def runs_table(rows: Sequence[tuple[RunRecord, ResultRecord | None]], *, width: int) -> Table:
    """Return one line for each run, with its newest result.

    A terminal of `width` columns that cannot hold all of it is told what a run is called, what was measured and how
    good that is: a name that is cut could not be typed again.
    """
    wide = width >= WIDE
    table = Table(title="Runs", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column("run", overflow="fold")
    for name in ("requested (UTC)", "board", "network") if wide else ("network",):
        table.add_column(name, no_wrap=True)
    table.add_column("batch", justify="right")
    for name in ("gross J/image", "net J/image") if width >= MIDDLE else ("gross J/image",):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("state", "quality") if wide else ("verdict",):
        table.add_column(name)
    for run, result in rows:
        state, quality = _state_text(run), result.quality if result else ABSENT
        table.add_row(
            escape(run.run_id),
            *((_time_text(run.requested_utc_ns), escape(run.board)) if wide else ()),
            escape(run.network),
            str(run.batch_size),
            *_energy_cells(result)[: 2 if width >= MIDDLE else 1],
            *((state, quality) if wide else (result.quality if result else state,)),
        )
    return table


def run_table(run: RunRecord, results: Sequence[ResultRecord], captures: Sequence[CaptureRecord]) -> Table:
    """Return what was asked for, what became of it, and its newest result."""
    table = Table(show_header=False, title=f"Run {escape(run.run_id)}")
    for name, value in _facts(run, results, captures).items():
        table.add_row(name, escape(value))
    return table


def budget_table(result: ResultRecord) -> Table:
    """Return the uncertainty budget of gross energy per image, the largest term first."""
    table = Table(title="Uncertainty budget of gross energy per image")
    table.add_column("term")
    for name in ("standard uncertainty / J", "share of variance"):
        table.add_column(name, justify="right")
    table.add_column("source")
    budget = result.document.get("budget") or []
    for term in sorted(budget, key=lambda term: term["share"], reverse=True):
        contribution = f"{term['standard_uncertainty_j']:.3g}"
        table.add_row(escape(term["term"]), contribution, f"{term['share']:.1%}", escape(term.get("source") or ""))
    return table


def history_table(results: Sequence[ResultRecord]) -> Table:
    """Return one line for each result of a run, the newest first: what it says, and what it rests on."""
    table = Table("at (UTC)", "result", "quality", title="Results")
    for name in ("gross J/image", "net J/image"):
        table.add_column(name, justify="right")
    for name in ("sync", "certificates", "software"):
        table.add_column(name)
    for result in results:
        document = result.document
        table.add_row(
            _time_text(result.at_utc_ns),
            result.result_id,
            result.quality,
            *_energy_cells(result),
            str(document.get("sync", ABSENT)),
            ", ".join(document.get("certificate_ids") or []) or ABSENT,
            str(document.get("software_version", ABSENT)),
        )
    return table


def reasons_lines(result: ResultRecord) -> list[str]:
    """Return one line for each reason that keeps a result from being valid."""
    return [f"{escape(reason['code'])}: {escape(reason['text'])}" for reason in result.document.get("reasons") or []]


def journal_table(entries: Sequence[JournalEntry]) -> Table:
    """Return what happened to a run, in order."""
    table = Table("at (UTC)", "event", "state", "detail", title="Journal")
    for entry in entries:
        detail = json.dumps(dict(entry.detail)) if entry.detail else ""
        if len(detail) > LONGEST_DETAIL:
            detail = f"{detail[:LONGEST_DETAIL]}… (all of it: --json)"
        table.add_row(_time_text(entry.at_utc_ns), escape(entry.event), entry.state or "", escape(detail))
    return table


def _state_text(run: RunRecord) -> str:
    return run.state if run.reason is None else f"{run.state} ({escape(run.reason)})"


def _energy_cells(result: ResultRecord | None) -> tuple[str, str]:
    if result is None:
        return ABSENT, ABSENT
    gross = quantity_text(result.gross_energy_per_image_j, result.gross_u95_j)
    return gross, quantity_text(result.net_energy_per_image_j, result.net_u95_j)


def _capture_text(capture: CaptureRecord) -> str:
    if capture.removed_utc_ns is None:
        return capture.name
    return f"{capture.name} ({removed_text(capture.removed_utc_ns, capture.removed_reason)})"


def _backend(run: RunRecord) -> str:
    return "" if run.backend is None else f", {run.backend}"


def _facts(run: RunRecord, results: Sequence[ResultRecord], captures: Sequence[CaptureRecord]) -> dict[str, str]:
    planned = "until captured" if run.images_planned is None else str(run.images_planned)
    facts = {
        "board": run.board,
        "network": f"{run.network}, batch {run.batch_size}, {run.precision}{_backend(run)}",
        "images planned": planned,
        "requested (UTC)": _time_text(run.requested_utc_ns),
        "state": run.state if run.text is None else f"{run.state} ({run.reason}): {run.text}",
        "captures": f"{len(captures)} of {run.captures}: {', '.join(map(_capture_text, captures))}",
    }
    facts |= _board_facts(run.finished or {})
    return facts | (_result_facts(results[0], len(results)) if results else {"result": ABSENT})


def _board_facts(finished: Mapping[str, Any]) -> dict[str, str]:
    """Return what the board said of its memory and times, as far as it did."""
    memory, times = finished.get("memory") or {}, finished.get("times")
    names = {"peak_process_bytes": "process memory, at most", "peak_device_bytes": "device memory, at most"}
    facts = {name: size_text(memory[key]) for key, name in names.items() if memory.get(key) is not None}
    if times is not None:
        quartiles = " to ".join(f"{times[name] / 1e6:.4g}" for name in ("lower_quartile_ns", "upper_quartile_ns"))
        drift = f", drift {times['drift']:+.1%}" if times.get("drifts") else ""
        facts["time of a batch"] = f"{times['median_ns'] / 1e6:.4g} ms (quartiles {quartiles}){drift}"
    return facts


def _result_facts(result: ResultRecord, count: int) -> dict[str, str]:
    gross, net = _energy_cells(result)
    document: Mapping[str, Any] = result.document
    return {
        "result": f"{result.result_id} (newest of {count})",
        "gross energy": f"{gross} J/image (95 %)",
        "net energy": f"{net} J/image (95 %)",
        "images": str(document.get("images", ABSENT)),
        "synchronised by": str(document.get("sync", ABSENT)),
        "quality": result.quality,
        "software": str(document.get("software_version", ABSENT)),
    }


def _time_text(at_utc_ns: int) -> str:
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
