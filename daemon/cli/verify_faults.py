"""`joulebench verify faults`: a lab of real processes, struck at random, and what became of its runs."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.counting_bar import counting_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.verify.faults.attacks import FaultName
    from daemon.verify.faults.evidence import Evidence
    from daemon.verify.faults.report import FaultReport

MOST_LINES = 20


def faults(
    count: Annotated[int, typer.Option(min=1, help="Faults, of each kind as many.")] = 1500,
    runs: Annotated[
        int | None, typer.Option(min=1, help="Runs, at least; left out: two a fault, every second one without any.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of faults, moments and worlds.")] = 1,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only this fault; may be given again. Left out: all.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            help="Labs that are struck at the same time; left out: one more than cores, for labs wait too.",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            help="Keep in this file what is done, and go on where it ends, if it exists.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", file_okay=False, help="Leave logs and data here of labs in which something was found."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Strike mosquitto, daemon, agent, instruments, messages, clock, disk and database, and see that nothing is lost.

    Exit status 1: a run was lost, measured twice, called valid wrongly or stuck, a file was torn, or fewer than 95 % of
    the runs that no fault touched are valid.
    """
    kinds = _kinds(fault or [])
    _tell_of_what_is_left_out(count, kinds)
    report = _verified(
        count=count, runs=runs or 2 * count, seed=seed, kinds=kinds,
        jobs=jobs or (os.cpu_count() or 1) + 1, log=resume, keep=keep,
    )  # fmt: skip
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2))
    else:
        from daemon.cli.fault_table import fault_table
        from daemon.cli.output_console import output_console

        output_console().print(fault_table(report))
    _complain(report)
    if not report.passed:
        raise typer.Exit(1)


def _tell_of_what_is_left_out(count: int, kinds: "Sequence[FaultName]") -> None:
    """Say which kinds do not strike where there are fewer faults than kinds: no proof of those."""
    if left_out := kinds[count:]:
        names = ", ".join(kind.value for kind in left_out)
        text = f"{count} of {len(kinds)} kinds of faults strike; left out: {names}; --count {len(kinds)} has each once"
        typer.echo(text, err=True)


def _kinds(names: list[str]) -> "Sequence[FaultName]":
    from daemon.verify.faults.attacks import FaultName

    known = [kind.value for kind in FaultName]
    if unknown := [name for name in names if name not in known]:
        raise typer.BadParameter(f"--fault must be among {', '.join(known)}, got {unknown[0]!r}")
    return [kind for kind in FaultName if not names or kind.value in names]


def _verified(
    *,
    count: int,
    runs: int,
    seed: int,
    kinds: "Sequence[FaultName]",
    jobs: int,
    log: Path | None,
    keep: Path | None,
) -> "FaultReport":
    """Verify with a progress bar on standard error."""
    from daemon.verify.faults.campaign import verify_faults
    from daemon.verify.faults.judge import judged

    with counting_bar(rate_of_last_s=600.0) as progress:
        task = progress.add_task("faults", total=count)
        found = 0

        def on_portion(evidence: "Evidence") -> None:
            nonlocal found
            findings = judged(evidence)
            found += len(findings)
            for finding in findings:
                progress.console.print(f"{finding.crime.value}: {finding.text}", markup=False, highlight=False)
            progress.update(task, advance=len(evidence.faults), description=f"faults, {found} found")

        return verify_faults(
            count=count, runs=runs, seed=seed, kinds=kinds, jobs=jobs, log=log, keep=keep, on_portion=on_portion
        )


def _complain(report: "FaultReport") -> None:
    """Say what is odd on standard error; what must not be was said as it was found."""
    for note in report.notes[:MOST_LINES]:
        typer.echo(note, err=True)
    if len(report.notes) > MOST_LINES:
        typer.echo(f"and {len(report.notes) - MOST_LINES} more", err=True)
