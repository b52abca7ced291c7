"""`joulebench check`: is everything that a configuration names there, and is it what it should be?"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from daemon.cli.command_line import RecordOption
from daemon.cli.output_console import output_console


def check(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    record: RecordOption = None,
) -> None:
    """Identify instruments, reach broker and store, choose certificates; list each failure with what to do about it.

    Exit status 0: everything is well. 1: something is not.
    """
    from daemon.bootstrap import recording_to
    from daemon.configuration import load_configuration
    from daemon.readiness import examine

    configuration = load_configuration(config)
    # Three seconds where all is well, up to a minute where an instrument is silent.
    with Console(stderr=True).status("asking instruments, broker and store"), recording_to(record) as connector:
        findings = asyncio.run(examine(configuration, connector=connector))
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
