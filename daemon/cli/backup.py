"""`joulebench backup`: copies of database, captures and certificates, made while the daemon measures."""

import json
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.part_bars import part_bars
from daemon.cli.run_store import JsonOption

if TYPE_CHECKING:
    from daemon.backup.manifest import Manifest

app = typer.Typer(no_args_is_help=True, help="Back up what was measured, verify it, and restore it.")

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")]
BackupArgument = Annotated[
    Path, typer.Argument(metavar="BACKUP", help="A backup's folder; or a folder of backups, of which the newest.")
]
LONGEST_LIST = 20
"""Problems that are named one by one; `--json` names all."""


@app.command("create")
def create(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of backups, best on another disk.")],
    config: ConfigOption,
    keep: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Afterwards remove all but the newest N backups there.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Copy database, captures and certificates into a new folder in DIR; a daemon may be measuring meanwhile.

    What the backup before it holds already is linked to it, not copied: unchanged captures take no room again.
    Exit status 1: none was made, or it lacks files that were missing or damaged.
    """
    from daemon.backup.creation import Creation
    from daemon.backup.shelf import Shelf
    from daemon.configuration import load_configuration
    from runners.size_text import size_text

    configuration = load_configuration(config)
    with part_bars() as watch:
        made = Creation(configuration, Shelf(directory), version("joulebench"), keep, watch).create()
    manifest = made.manifest
    if as_json:
        document = _document(made.path, manifest) | {
            "copied_bytes": made.copied_bytes,
            "removed": [str(path) for path in made.removed],
        }
        typer.echo(json.dumps(document, indent=2))
    else:
        sizes = f"{size_text(manifest.size_bytes)}, of which {size_text(made.copied_bytes)} were copied"
        typer.echo(f"{made.path}: {len(manifest.files)} files, {sizes}")
    _tell([f"{one.path} is lacking: it {one.text}" for one in manifest.lacking])
    if manifest.lacking:
        raise typer.Exit(1)


@app.command("verify")
def verify(backup: BackupArgument, as_json: JsonOption = False) -> None:
    """Read every byte of a backup, and hold it against its manifest and its database.

    Exit status 0: it is whole. 1: it is not, or lacks files that were missing when it was made.
    """
    from daemon.backup.shelf import backup_at
    from daemon.backup.verification import verify_backup

    folder = backup_at(backup)
    with part_bars() as watch:
        manifest, problems = verify_backup(folder, watch)
    if as_json:
        typer.echo(json.dumps(_document(folder, manifest) | {"problems": list(problems)}, indent=2))
    elif not problems:
        typer.echo(f"{folder}: {len(manifest.files)} files are what was written")
    _tell([*problems, *(f"{one.path} is lacking: it {one.text}" for one in manifest.lacking)])
    if problems or manifest.lacking:
        raise typer.Exit(1)


@app.command("restore")
def restore(
    backup: BackupArgument,
    config: ConfigOption,
    without_database: Annotated[
        bool, typer.Option("--without-database", help="Captures and certificates alone, where a server has the rest.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup to where the configuration keeps its storage, which must be empty; it is verified first.

    Then `joulebench doctor` looks at it, and a daemon that is started goes on with what was in hand.
    """
    from daemon.backup.restoration import Restoration
    from daemon.backup.shelf import backup_at
    from daemon.configuration import load_configuration

    configuration, folder = load_configuration(config), backup_at(backup)
    with part_bars() as watch:
        manifest = Restoration(folder, configuration, with_database=not without_database, watch=watch).restore()
    if as_json:
        typer.echo(json.dumps(_document(folder, manifest), indent=2))
    else:
        typer.echo(f"{folder}: {len(manifest.files)} files restored into {configuration.storage.directory}")
    _tell([f"{one.path} was not in the backup: it {one.text}" for one in manifest.lacking])


def _document(folder: Path, manifest: "Manifest") -> dict[str, object]:
    about = asdict(manifest) | {"size_bytes": manifest.size_bytes, "files": len(manifest.files)}
    return {"backup": str(folder)} | about


def _tell(lines: list[str]) -> None:
    for line in lines[:LONGEST_LIST]:
        typer.echo(f"joulebench: {line}", err=True)
    if len(lines) > LONGEST_LIST:
        typer.echo(f"joulebench: and {len(lines) - LONGEST_LIST} more (all: --json)", err=True)
