"""Watch table: the bench, the run in hand and the last runs, for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from daemon.quantity_text import ABSENT, quantity_text
from daemon.watch.bench_view import BenchView, RunView
from runners.messages import BoardStatus, Presence, RunPhase

STEPS = (RunPhase.ACCEPTED, RunPhase.ARMED, RunPhase.CAPTURED, RunPhase.ANALYSING, RunPhase.DONE)
"""The states of a run that goes well, in order."""
STYLES = {"valid": "green", "degraded": "yellow", "invalid": "red", "failed": "red", "rejected": "red"}
"""Colours of verdicts and bad ends; each is told by its word too."""
WIDE = 110
"""Columns from which on the runs' names are shown too."""
TABLE_LINES = 6
"""Lines around the rows of the table."""
BAR = 20
"""Characters of the bar of captures."""


def watch_screen(
    view: BenchView, *, now_utc_ns: int, width: int, height: int | None = None, remark: str = ""
) -> RenderableType:
    """Return what is known of a bench, as it stands now.

    Args:
        view: what is known.
        now_utc_ns: the time, in nanoseconds of UTC.
        width: columns that there is room for.
        height: lines that there is room for; None: as many as it takes.
        remark: what else is to be said, below the table.
    """
    lines = list(_head(view))
    if (run := view.in_hand) is not None:
        lines += ["", *_in_hand(run, now_utc_ns)]
    head = [Text.from_markup(line) for line in lines]
    taken = sum(max(1, -(-line.cell_len // width)) for line in head) + bool(remark)
    rows = None if height is None else max(height - taken - TABLE_LINES, 1)
    last = Text("no run yet" if not view.runs else "± holds the true value with 95 %", style="dim")
    below = [last, Text(remark, style="dim")] if remark else [last]
    table = [Text(), _runs_table(view, rows, width)] if view.runs else [Text()]
    return Group(*head, *table, *below)


def daemon_text(view: BenchView) -> str:
    """Return in words how the daemon is, and what to do where it is not there."""
    if not view.connected:
        return view.link_text
    if view.daemon is None:
        return (
            "no daemon has ever said anything of itself here: is `bench.name` right, and `joulebench daemon` started?"
        )
    if view.daemon.state is Presence.OFFLINE:
        return "the daemon is not there; waiting for it (`joulebench daemon --config FILE` starts it)"
    run = view.daemon.current_run
    bench = "is free" if run is None else f"measures {run}"
    version = f" {view.daemon.version}" if view.daemon.version else ""
    return f"daemon{version} is there, the bench {bench}"


def _head(view: BenchView) -> Iterator[str]:
    colour = "green" if view.daemon_is_there else "red"
    yield f"[bold]bench {escape(view.bench)}[/]  [{colour}]●[/] {escape(daemon_text(view))}"
    if view.daemon is not None:
        for role, identity in view.daemon.instruments.items():
            yield f"  {escape(role.replace('_', ' '))}: {escape(str(identity))}"
    for _, board in sorted(view.boards.items()):
        yield f"  board {escape(board.board)}: {escape(board_text(board))}"


def board_text(board: BoardStatus) -> str:
    """Return in words what a board does."""
    if board.state is Presence.OFFLINE:
        return "not there"
    doing = "free" if board.busy_run is None else f"runs {board.busy_run}"
    return doing if board.busy_campaign is None else f"{doing}, campaign {board.busy_campaign}"


def _in_hand(run: RunView, now_utc_ns: int) -> Iterator[str]:
    yield f"[bold]{escape(run.run_id)}[/]  {escape(what_runs(run))}"
    times = dict(run.steps)
    words = [_step_word(step, run, times, now_utc_ns) for step in STEPS]
    yield "  " + " [dim]>[/] ".join(words)
    taken, planned = run.captures_taken, run.captures
    filled = BAR * taken // planned if planned else 0
    bar = "█" * filled + "░" * (BAR - filled)
    yield f"  {bar} {taken} of {planned} {'capture' if planned == 1 else 'captures'}"


def _step_word(step: RunPhase, run: RunView, times: dict[RunPhase, int], now_utc_ns: int) -> str:
    if step is run.state:
        return f"[bold cyan]{step.value} {duration_text(now_utc_ns - times.get(step, now_utc_ns))}[/]"
    return f"[green]{step.value}[/]" if step in times else f"[dim]{step.value}[/]"


def duration_text(duration_ns: int) -> str:
    """Return a duration in whole seconds; clocks of two computers that differ give no negative one."""
    return str(timedelta(seconds=max(duration_ns, 0) // 1_000_000_000))


def what_runs(run: RunView) -> str:
    """Return network, batch size and board, as far as they are known."""
    if run.network is None:
        return ""
    words = f"{run.network}, batch {run.batch_size}"
    return words if run.board is None else f"{words}, board {run.board}"


def _runs_table(view: BenchView, rows: int | None, width: int) -> Table:
    """Return the last runs; a narrow terminal has no room for names that the run in hand shows too."""
    names = ("run", "board") if width >= WIDE else ()
    table = Table("at (UTC)", *names, "network", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("batch", "gross J/image", "net J/image"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for column in table.columns[: len(names) + 2]:
        column.no_wrap = True
    for run in view.runs[:rows]:
        table.add_row(*_cells(run, wide=bool(names)))
    return table


def _cells(run: RunView, *, wide: bool) -> Iterator[str | Text]:
    yield datetime.fromtimestamp(run.at_utc_ns / 1e9, UTC).strftime("%H:%M:%S")
    if wide:
        yield escape(run.run_id)
        yield escape(run.board or ABSENT)
    yield escape(run.network or ABSENT)
    yield ABSENT if run.batch_size is None else str(run.batch_size)
    for energy in (run.gross, run.net):
        yield ABSENT if energy is None else quantity_text(*energy)
    word = verdict_text(run)
    style = STYLES.get(word.partition(":")[0], "")
    # One line, cut at its end: a table whose rows grow would push the newest off the screen.
    yield Text(word, style=style, no_wrap=True, overflow="ellipsis")


def verdict_text(run: RunView) -> str:
    """Return the verdict with its reasons; where there is no result, the state with its reason."""
    if run.quality is not None:
        return run.quality if not run.reasons else f"{run.quality}: {', '.join(run.reasons)}"
    state = ABSENT if run.state is None else run.state.value
    return state if run.reason is None else f"{state}: {run.reason}"
