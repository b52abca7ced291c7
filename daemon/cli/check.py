"""`joulebench check`: is everything that a configuration names there, and is it what it should be?"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from daemon.cli.command_line import MB, RECORD_LIMIT_MB, RecordLimitOption, RecordOption, check_folder
from daemon.cli.output_console import output_console
from daemon.cli.progress_line import Tell, progress_line

if TYPE_CHECKING:
    from daemon.configuration import Configuration
    from daemon.readiness import Finding
    from instruments.connector import Connector


def check(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    record: RecordOption = None,
    record_limit_mb: RecordLimitOption = RECORD_LIMIT_MB,
    bench_report: Annotated[
        Path | None,
        typer.Option(
            "--bench-report",
            metavar="FILE",
            help="Try what only real instruments can show, and write it here, as JSON. Programmes the oscilloscope, "
            "and puts its set-up back.",
        ),
    ] = None,
) -> None:
    """Identify instruments, reach broker and store, choose certificates; list each failure with what to do about it.

    Exit status 0: everything is well. 1: something is not.
    """
    from daemon.bootstrap import recording_to
    from daemon.configuration import load_configuration

    _check_target(bench_report)
    configuration = load_configuration(config)
    with progress_line() as tell, recording_to(record, limit_bytes=record_limit_mb * MB) as connector:
        findings = _examined(configuration, connector, bench_report, tell=tell)
    failed = [finding for finding in findings if not finding.ok]
    if as_json:
        document = {"ok": not failed, "checks": [asdict(finding) for finding in findings]}
        typer.echo(json.dumps(document, indent=2))
    else:
        table = Table("part", "", "found", title=f"{config}: {len(findings) - len(failed)} of {len(findings)} well")
        for finding in findings:
            advice = f"\n-> {finding.remedy}" if finding.remedy else ""
            mark = "[green]ok[/]" if finding.ok else "[red]FAIL[/]"
            table.add_row(finding.part, mark, escape(finding.text + advice))
        output_console().print(table)
    raise typer.Exit(1 if failed else 0)


def _check_target(path: Path | None) -> None:
    """Refuse before anything is tried what would be refused after it."""
    check_folder(path, option="--bench-report")
    if path is not None and path.exists():
        raise typer.BadParameter(f"{str(path)!r} exists already; name another file", param_hint="--bench-report")


def _examined(
    configuration: "Configuration", connector: "Connector | None", report: Path | None, *, tell: Tell
) -> "list[Finding]":
    from daemon.readiness import examine

    # Three seconds where all is well, up to a minute where an instrument is silent.
    tell("asking instruments, broker and store")
    findings = asyncio.run(examine(configuration, connector=connector))
    if report is not None:
        from daemon.bench_report import make_trials, report_document, write_report

        trials = make_trials(configuration, connector=connector, tell=tell)
        document = report_document(configuration, findings, trials)
        write_report(report, document)
        counts = ", ".join(f"{count} {verdict}" for verdict, count in document["verdicts"].items())
        typer.echo(f"written: {report}: {counts}; read it before you send it: it names serial numbers", err=True)
    return findings
