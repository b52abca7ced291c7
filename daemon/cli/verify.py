"""`joulebench verify`: proof that the stated uncertainty is what it says, and that faults are survived."""

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.counting_bar import counting_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.verify.coverage import CoverageReport
    from daemon.verify.recovery import Toll
    from daemon.verify.strike import Assault
    from metrology.ladder import Rung

app = typer.Typer(no_args_is_help=True, help="Prove on virtual benches what results claim.")


@app.callback()
def verify() -> None:
    """Prove on virtual benches what results claim."""


@app.command("coverage")
def coverage(
    benches: Annotated[int, typer.Option(min=1, help="Virtual benches, each with instrument errors of its own.")] = 400,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 1,
    sync: Annotated[str, typer.Option(metavar="marker|clock", help="How windows are found.")] = "marker",
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Processes that work at the same time; left out: two more than cores, since benches wait too.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Calibrate and measure many virtual benches, and count how often the 95 % interval holds the truth."""
    report = _verified(benches=benches, seed=seed, rung=_rung(sync), jobs=jobs or (os.cpu_count() or 1) + 2)
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
        return
    typer.echo(
        f"{report.benches} benches, {report.results} results, {report.invalid} invalid\n"
        f"coverage of the 95 % interval: {report.coverage_95:.1%}\n"
        f"bias: {report.bias_pct:+.3f} %\n"
        f"median expanded uncertainty: {report.median_u95_pct:.3f} %\n"
        f"95 % of errors within: {report.p95_abs_error_pct:.3f} %"
    )


def _rung(sync: str) -> "Rung":
    from metrology.ladder import Rung

    for rung in (Rung.MARKER, Rung.CLOCK):
        if sync == rung.value:
            return rung
    raise typer.BadParameter(f"--sync is `marker` or `clock`, got {sync!r}")


def _verified(*, benches: int, seed: int, rung: "Rung", jobs: int) -> "CoverageReport":
    """Verify with a progress bar on standard error."""
    from daemon.verify.coverage import verify_coverage

    with counting_bar() as progress:
        task = progress.add_task("benches", total=benches)
        inside = done = 0

        def on_score(score: object) -> None:
            nonlocal inside, done
            done += 1
            inside += bool(getattr(score, "covered", False))
            progress.update(task, advance=1, description=f"benches, {inside} of {done} inside")

        return verify_coverage(benches=benches, seed=seed, rung=rung, jobs=jobs, on_score=on_score)


@app.command("recovery")
def recovery(
    times: Annotated[int, typer.Option(min=1, help="How often each fault strikes.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the moments and of the worlds.")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only this fault; may be given again. Left out: all.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Processes that work at the same time; left out: two more than cores, since daemons wait too.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Let every instrument fault strike runs at random moments; see what came of them, and of the next run.

    Exit status 1: a result was called valid and was not, or a next run was not measured.
    """
    tolls = _recovered(times=times, seed=seed, assaults=_assaults(fault or []), jobs=jobs or (os.cpu_count() or 1) + 2)
    if as_json:
        typer.echo(json.dumps([asdict(toll) for toll in tolls], indent=2))
    else:
        from daemon.cli.output_console import output_console
        from daemon.cli.recovery_table import complaints, recovery_table

        output_console().print(recovery_table(tolls))
        for complaint in complaints(tolls):
            typer.echo(complaint, err=True)
    if not all(toll.passed for toll in tolls):
        raise typer.Exit(1)


def _assaults(kinds: list[str]) -> "Sequence[Assault]":
    from daemon.verify.strike import ASSAULTS

    known = sorted({assault.kind.value for assault in ASSAULTS})
    if unknown := [kind for kind in kinds if kind not in known]:
        raise typer.BadParameter(f"--fault must be among {', '.join(known)}, got {unknown[0]!r}")
    return [assault for assault in ASSAULTS if not kinds or assault.kind.value in kinds]


def _recovered(*, times: int, seed: int, assaults: "Sequence[Assault]", jobs: int) -> "list[Toll]":
    """Verify with a progress bar on standard error."""
    from daemon.verify.recovery import verify_recovery

    with counting_bar() as progress:
        task = progress.add_task("strikes", total=times * len(assaults))
        return verify_recovery(
            times=times,
            seed=seed,
            jobs=jobs,
            assaults=assaults,
            on_strike=lambda done: progress.update(task, completed=done),
        )
