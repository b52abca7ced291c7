"""`joulebench verify soak`: run after run in one process, and whether it grows."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.counting_bar import counting_bar

if TYPE_CHECKING:
    from daemon.verify.soak import SoakReport


def soak(
    runs: Annotated[int, typer.Option(min=100, help="Runs, one after another.")] = 5000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the world.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Perform thousands of runs in one process, and see whether memory, descriptors, threads, tasks or files grow.

    What is compared is the median over the second tenth of the runs with that over the last. Exit status 1: memory grew
    by 5 % or more, anything else grew at all, or fewer than 95 % of the runs have a result.
    """
    report = _soaked(runs=runs, seed=seed)
    typer.echo(json.dumps(report.document(), indent=2) if as_json else _told(report))
    for complaint in report.complaints:
        typer.echo(complaint, err=True)
    if report.complaints:
        raise typer.Exit(1)


def _soaked(*, runs: int, seed: int) -> "SoakReport":
    """Soak with a progress bar on standard error."""
    from daemon.verify.soak import verify_soak

    with counting_bar() as progress:
        task = progress.add_task("runs", total=runs)
        return verify_soak(runs=runs, seed=seed, on_run=lambda done: progress.update(task, completed=done))


def _told(report: "SoakReport") -> str:
    ends = ", ".join(f"{count} {name}" for name, count in report.ended.items())
    lines = [f"{report.runs} runs in {report.duration_s:.0f} s: {ends}"]
    for name, one in report.quantities.items():
        scale, unit = (1e6, " MB") if name.endswith("_bytes") else (1.0, "")
        word = name.removesuffix("_bytes").replace("_", " ")
        lines.append(f"{word}: {one.start / scale:g}{unit} to {one.end / scale:g}{unit} ({one.growth_pct:+.1f} %)")
    return "\n".join(lines)
