"""Tables of a campaign for people: its plan, and what it has measured."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from daemon.quantity_text import ABSENT, quantity_text
from runners.campaign.executor import WAITING_IS_VAIN
from runners.campaign.plan import CampaignPlan
from runners.campaign.progress import CampaignProgress, RunProgress

WIDE = 128
"""Columns from which on a table has room for everything, the runs' names included."""


def plan_table(plan: CampaignPlan, progress: CampaignProgress) -> Table:
    """Return every run in its order, with where it stands."""
    table = _table(plan, progress, settings=True)
    table.add_column("state")
    for run in progress.runs:
        table.add_row(*_planned_cells(run, settings=True), run.state)
    return table


def campaign_table(plan: CampaignPlan, progress: CampaignProgress, *, width: int) -> Table:
    """Return every run in its order, with what was measured.

    A terminal of `width` columns that cannot hold all of it is not told what all runs share, nor how often each was
    tried, nor what it is called: `--json` has that, and a wider one.
    """
    table = _table(plan, progress, settings=width >= WIDE or _differ(progress))
    for name in ("state", "quality"):
        table.add_column(name, no_wrap=True)
    for name in ("gross J/image", "net J/image"):
        table.add_column(name, justify="right", no_wrap=True)
    if width >= WIDE:
        table.add_column("attempts", justify="right")
        table.add_column("run", overflow="fold")
    for run in progress.runs:
        best = run.best or {}
        table.add_row(
            *_planned_cells(run, settings=width >= WIDE or _differ(progress)),
            run.state,
            best.get("quality") or ABSENT,
            _energy(best.get("gross_energy_per_image_j"), best.get("gross_u95_j")),
            _energy(best.get("net_energy_per_image_j"), best.get("net_u95_j")),
            *((str(run.attempts), run.run_id or ABSENT) if width >= WIDE else ()),
        )
    return table


def remarks(plan: CampaignPlan, progress: CampaignProgress) -> Iterator[str]:
    """Yield what a person must know beyond the table: what was not measured and why, and what is doubtful."""
    for run in progress.runs:
        best = run.best
        if best is not None and run.state in {"refused", "failed"}:
            yield f"{run.planned}: {run.state}: {best['reason']}: {best['text']}"
    if invalid := [
        run for run in progress.runs if run.best and run.state == "done" and run.best["quality"] == "invalid"
    ]:
        yield f"invalid: {_names(invalid)}; `joulebench runs show RUN` says why"
    if progress.idle_power_reason is not None:
        yield (
            f"idle power could not be read at the begin ({progress.idle_power_reason}): no run waited for the board to "
            "cool down"
        )
    if unread := [line for line in progress.cool_downs if line.get("reason") in WAITING_IS_VAIN]:
        numbers = ", ".join(str(line["index"]) for line in unread)
        yield f"idle power could not be read before run {numbers}: it was not waited until the board was cold"
    if late := [line for line in progress.cool_downs if not line["reached"] and line not in unread]:
        numbers = ", ".join(str(line["index"]) for line in late)
        yield (
            f"idle power was not back within {plan.cool_down.limit_s:g} s before run {numbers}: "
            "raise cool_down.limit_s, or cool the board better"
        )
    done = progress.count("done")
    if done < len(progress.runs):
        yield f"{done} of {len(progress.runs)} runs are measured"


def _differ(progress: CampaignProgress) -> bool:
    """Return whether precision or backend tell one run from another."""
    return len({(run.planned.cell.precision, run.planned.cell.backend) for run in progress.runs}) > 1


def _table(plan: CampaignPlan, progress: CampaignProgress, *, settings: bool) -> Table:
    title = escape(progress.campaign_id or f"{plan.name} (not begun)")
    table = Table(
        title=f"Campaign {title}: {plan.order.value}, seed {plan.seed}",
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("no.", justify="right")
    table.add_column("network", no_wrap=True)
    for name in ("batch", "repeat"):
        table.add_column(name, justify="right")
    for name in ("precision", "backend") if settings else ():
        table.add_column(name)
    return table


def _planned_cells(run: RunProgress, *, settings: bool) -> tuple[str, ...]:
    planned, cell = run.planned, run.planned.cell
    words = (escape(cell.precision), escape(cell.backend or ABSENT)) if settings else ()
    return (str(planned.index), escape(cell.network), str(cell.batch_size), str(planned.repeat), *words)


def _energy(value: float | None, u95: float | None) -> str:
    return ABSENT if value is None or u95 is None else quantity_text(value, u95, unit="")


def _names(runs: list[RunProgress]) -> str:
    return ", ".join(str(run.run_id) for run in runs)
