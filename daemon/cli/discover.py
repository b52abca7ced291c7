"""`joulebench discover`: which instruments are there, and a configuration for them."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from daemon.cli.command_line import check_folder
from daemon.cli.output_console import output_console
from daemon.cli.progress_line import progress_line

if TYPE_CHECKING:
    from daemon.discovery_round import Survey


def discover(
    address: Annotated[
        list[str] | None,
        typer.Option("--address", metavar="HOST[:PORT]", help="Ask here too: a host, or a VISA resource name."),
    ] = None,
    gpib_adapter: Annotated[
        str | None,
        typer.Option("--gpib-adapter", metavar="RESOURCE", help="Ask at every GPIB address behind this adapter."),
    ] = None,
    only_given: Annotated[
        bool, typer.Option("--only-given", help="Neither list what this computer sees nor ask the network.")
    ] = False,
    write: Annotated[
        Path | None, typer.Option("--write", metavar="FILE", help="Write a commented configuration (TOML) here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite that file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find the instruments, say what each is good for, and draft a configuration. Changes nothing on them.

    Exit status 0: at least one instrument answered. 1: none did.
    """
    from daemon.discovery_round import survey

    _check_target(write, force=force)
    with progress_line() as tell:
        seen = survey(_resources(address or [], gpib_adapter), listing=not only_given, tell=tell)
    _show(seen, as_json=as_json, wrote=None if write is None or not seen.found else write)
    if not seen.found:
        Console(stderr=True, soft_wrap=True).print(_nothing(seen), style="red", markup=False, highlight=False)
        raise typer.Exit(1)
    if write is not None:
        _write(seen, write, force=force)


def _check_target(path: Path | None, *, force: bool) -> None:
    """Refuse before anything is asked what would be refused after it."""
    check_folder(path, option="--write")
    if path is not None and path.exists() and not force:
        text = f"{str(path)!r} exists already; name another file, or overwrite it with --force"
        raise typer.BadParameter(text, param_hint="--write")


def _resources(addresses: list[str], gpib_adapter: str | None) -> list[str]:
    from instruments.address import adapter_to_resource, address_to_resources
    from instruments.errors import ConnectionFailed

    try:
        resources = [resource for address in addresses for resource in address_to_resources(address)]
    except ConnectionFailed as error:
        raise typer.BadParameter(str(error), param_hint="--address") from None
    try:
        adapters = [] if gpib_adapter is None else [adapter_to_resource(gpib_adapter)]
    except ConnectionFailed as error:
        raise typer.BadParameter(str(error), param_hint="--gpib-adapter") from None
    return list(dict.fromkeys([*resources, *adapters]))


def _show(seen: "Survey", *, as_json: bool, wrote: Path | None) -> None:
    if as_json:
        typer.echo(json.dumps(_document(seen, wrote), indent=2))
        return
    if seen.found:
        table = Table("resource", "who", "serial", "firmware", "good for", title=f"{len(seen.found)} answered")
        for one in seen.found:
            identity = one.identity
            name = f"{identity.vendor} {identity.model}"
            table.add_row(one.resource, name, identity.serial, identity.firmware, one.good_for.value)
        output_console().print(table)
    errors = Console(stderr=True, soft_wrap=True)
    for silent in seen.silent:
        advice = f"; {silent.remedy}" if silent.remedy else ""
        errors.print(f"{silent.resource}: {silent.problem}{advice}", markup=False, highlight=False)
    for text in seen.lacking:
        errors.print(f"note: {text}", markup=False, highlight=False)


def _document(seen: "Survey", wrote: Path | None) -> dict[str, Any]:
    return {
        "found": [asdict(one) for one in seen.found],
        "silent": [asdict(one) for one in seen.silent],
        "lacking": list(seen.lacking),
        "wrote": None if wrote is None else str(wrote),
    }


def _nothing(seen: "Survey") -> str:
    asked = f"{seen.asked} resource name{'s' if seen.asked != 1 else ''}"
    return (
        f"joulebench: no instrument answered ({asked} asked, each with its reason above). "
        "Give the address from the instrument's own network page: --address HOST for an oscilloscope, "
        "--gpib-adapter HOST for a Prologix-style adapter"
    )


def _write(seen: "Survey", path: Path, *, force: bool) -> None:
    from daemon.configuration_draft import chosen, draft, write_draft
    from instruments.discovery import GoodFor

    write_draft(path, draft(seen.found), force=force)
    console = Console(stderr=True, soft_wrap=True)
    missing = [role for role in (GoodFor.OSCILLOSCOPE, GoodFor.POWER_SUPPLY) if role not in chosen(seen.found)]
    for role in missing:
        text = f"no {role.value} answered: put its resource name into [{role.value}] of {path}"
        console.print(text, style="yellow", markup=False, highlight=False)
    console.print(f"written: {path}; look for CHANGE ME in it, then: joulebench check --config {path}", highlight=False)
