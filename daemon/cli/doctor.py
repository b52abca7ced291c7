"""`joulebench doctor`: is everything that was measured still there, unchanged, and told the same everywhere?"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from daemon.cli.output_console import output_console
from daemon.cli.part_bars import part_bars
from daemon.cli.run_store import JsonOption
from runners.count_text import count_text

if TYPE_CHECKING:
    from daemon.configuration import Configuration
    from daemon.doctor.finding import Diagnosis, Finding


def doctor(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what is safe; refused while a daemon holds the bench.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold database, captures, journal and certificates against each other; say what is wrong and what to do.

    Every capture is read. Without --repair nothing is changed, and a daemon may be at work meanwhile.
    Exit status 0: everything is sound, or was put right. 1: something is not.
    """
    from daemon.bench_lock import BenchLock
    from daemon.configuration import load_configuration

    configuration = load_configuration(config)
    with ExitStack() as held:
        if repair:
            held.enter_context(BenchLock(configuration).held("joulebench doctor --repair"))
        diagnosis = _examined(configuration, held=repair)
        repaired = _repaired(configuration, diagnosis) if repair else []
    open_findings = [one for one in diagnosis.findings if one not in repaired]
    if as_json:
        typer.echo(json.dumps(_document(diagnosis, repaired), indent=2))
    else:
        _print(config, diagnosis, repaired)
    raise typer.Exit(1 if open_findings else 0)


def _examined(configuration: "Configuration", *, held: bool) -> "Diagnosis":
    from daemon.doctor.examination import Examination
    from daemon.doctor.scene import Scene

    with part_bars() as watch:
        return Examination(Scene.of(configuration, held=held), watch).diagnosis()


def _repaired(configuration: "Configuration", diagnosis: "Diagnosis") -> "list[Finding]":
    """Put right what is safe, and return what was; what cannot be stays a finding, and keeps nothing from the rest."""
    from daemon.captures import CaptureFiles
    from daemon.doctor.repairs import Repairs
    from daemon.store import Store
    from metrology.errors import JoulebenchError

    wanted = [one for one in diagnosis.findings if one.repair is not None]
    done: list[Finding] = []
    if not wanted:
        return done
    with Store(configuration.storage.url, create=False, bench=configuration.bench.name) as store:
        repairs = Repairs(store, CaptureFiles(configuration.storage.captures_directory))
        for finding in wanted:
            try:
                repairs.perform(finding)
            except (JoulebenchError, OSError) as error:
                typer.echo(f"joulebench: {finding.where} was not repaired: {error}", err=True)
            else:
                done.append(finding)
    return done


def _document(diagnosis: "Diagnosis", repaired: "list[Finding]") -> dict[str, Any]:
    findings = [
        {
            "code": one.code.value,
            "where": one.where,
            "text": one.text,
            "remedy": one.remedy,
            "repairable": one.repair is not None,
            "repaired": one in repaired,
        }
        for one in diagnosis.findings
    ]
    sound = all(one["repaired"] for one in findings)
    return {
        "sound": sound,
        "in_hand_of": diagnosis.in_hand_of,
        "counted": dict(diagnosis.counted),
        "findings": findings,
    }


def _print(config: Path, diagnosis: "Diagnosis", repaired: "list[Finding]") -> None:
    counted = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in diagnosis.counted.items())
    if diagnosis.in_hand_of is not None:
        typer.echo(f"the bench is in the hands of {diagnosis.in_hand_of}: runs in hand are left alone", err=True)
    if not diagnosis.findings:
        typer.echo(f"{config}: sound ({counted})")
        return
    found = count_text(len(diagnosis.findings), "finding")
    title = f"{config}: {found} ({counted})" if counted else f"{config}: {found}"
    table = Table("", "where", "found", title=title)
    for one in diagnosis.findings:
        mark = f"[green]repaired[/]\n{one.code.value}" if one in repaired else f"[red]{one.code.value}[/]"
        advice = "" if one in repaired else f"\n-> {one.remedy}"
        table.add_row(mark, escape(one.where), escape(one.text + advice))
    output_console().print(table)
