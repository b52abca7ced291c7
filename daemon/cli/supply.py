"""`joulebench supply`: the audit log of the supply, its alarms, and the word of a person that a cause was found."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.output_console import output_console
from daemon.cli.supply_table import alarms_table, audit_table
from runners.count_text import count_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from daemon.supply_alarm import Alarm

app = typer.Typer(no_args_is_help=True, help="Show what was done to the supply, and acknowledge its alarms.")

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@app.command("audit")
def audit(
    config: ConfigOption,
    last: Annotated[int, typer.Option(min=1, help="How many lines, the newest.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show every change of the supply's output, set-points and protection: who, when, from what to what."""
    from daemon.configuration import load_configuration
    from instruments.audit_reader import read_audit

    configuration = load_configuration(config)
    directory = configuration.storage.audit_directory
    read = read_audit(directory, last=last, bench=configuration.bench.name)
    if as_json:
        typer.echo(json.dumps({"lines": read.lines, "torn": read.torn}, indent=2))
        return
    if read.torn:
        typer.echo(f"{count_text(read.torn, 'torn line')} left out: a program was killed while it wrote", err=True)
    if read.lines:
        output_console().print(audit_table(read.lines))
    else:
        typer.echo(f"nothing is written in {directory}: the supply was never changed from here", err=True)


@app.command("alarms")
def alarms(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the alarms for which no run is taken. Exit status 0: there is none. 1: there are."""
    from daemon.configuration import load_configuration
    from daemon.supply_alarm import AlarmFile

    standing = AlarmFile(load_configuration(config)).standing()
    if as_json:
        typer.echo(json.dumps(_document(standing), indent=2))
    elif standing:
        output_console().print(alarms_table(standing))
    else:
        typer.echo("no alarm stands", err=True)
    raise typer.Exit(1 if standing else 0)


@app.command("acknowledge")
def acknowledge(
    config: ConfigOption,
    note: Annotated[str, typer.Option(help="What the cause was, for the audit log.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Say that the cause of every alarm was found: runs are taken again, by a daemon that serves too."""
    from daemon.configuration import load_configuration
    from daemon.errors import AlarmNotSeen
    from daemon.supply_alarm import AlarmFile
    from instruments.audit_log import AuditLog, Stage

    configuration = load_configuration(config)
    file = AlarmFile(configuration)
    standing = file.standing()
    if standing:
        log = AuditLog(configuration.storage.audit_directory, bench=configuration.bench.name)
        # First, as with every change: what cannot be written down does not happen.
        log.write(Stage.EVENT, "acknowledged", note=note or None, alarms=[asdict(one) for one in standing])
        if not file.acknowledge(standing):
            raise AlarmNotSeen(file.path)
    if as_json:
        typer.echo(json.dumps(_document(standing), indent=2))
    elif standing:
        output_console().print(alarms_table(standing))
        text = "acknowledged; runs are taken again once the output is on, and a cause that lasts raises the alarm anew"
        typer.echo(text, err=True)
    else:
        typer.echo("no alarm stands", err=True)


def _document(standing: "Sequence[Alarm]") -> dict[str, Any]:
    return {"alarms": [asdict(alarm) for alarm in standing]}
