"""Watch lines: what happens on a bench, one line each, where there is no terminal to draw on."""

from datetime import UTC, datetime

from daemon.cli.watch_table import board_text, daemon_text, verdict_text, what_runs
from daemon.quantity_text import quantity_text
from daemon.watch.bench_view import BenchView, RunView
from daemon.watch.happening import Happening, HappeningKind


def line_of(happening: Happening, view: BenchView) -> str:
    """Return a happening as one line, after the view has taken it up; empty where there is nothing to say.

    Args:
        happening: what was heard.
        view: what is known with it.
    """
    text = _text(happening, view)
    if not text:
        return ""
    at = datetime.fromtimestamp(happening.at_utc_ns / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{at} {text}"


def _text(happening: Happening, view: BenchView) -> str:
    if happening.kind is HappeningKind.LINK:
        return happening.text or ""
    if happening.kind is HappeningKind.DAEMON:
        return daemon_text(view)
    if happening.kind is HappeningKind.BOARD:
        return "" if happening.board is None else f"board {happening.board}: {board_text(view.boards[happening.board])}"
    run = next((one for one in view.runs if one.run_id == happening.run_id), None)
    return "" if run is None else f"run {run.run_id}: {_run_text(happening.kind, run)}"


def _run_text(kind: HappeningKind, run: RunView) -> str:
    if kind is HappeningKind.REQUEST:
        return f"asked for, {what_runs(run)}"
    if kind is HappeningKind.RESULT:
        gross, net = (quantity_text(*energy) if energy else "not measured" for energy in (run.gross, run.net))
        return f"gross {gross} J, net {net} J per image (95 %), {verdict_text(run)}"
    if run.state is None:
        return ""
    if run.reason is not None:
        return f"{run.state.value}: {run.reason}: {run.text}"
    taken = f" ({run.captures_taken} of {run.captures} captures)" if run.captures > 1 and not run.is_over else ""
    return run.state.value + taken
