"""`joulebench captures export`: one capture of a run for other programs."""

import json
from pathlib import Path
from typing import Annotated

import typer

from daemon.cli.completion import capture_indices, run_ids, words
from daemon.cli.run_store import ConfigOption, DirectoryOption, run_store
from daemon.durable_file import write_together
from daemon.errors import ExportError

FORMATS = ("csv", "npz", "raw")


def export_capture(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Whose capture.", autocompletion=run_ids)],
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="Values, arrays, or plain 16-bit codes; left out: by the ending of --out, else csv.",
            autocompletion=words(*FORMATS),
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Left out: RUN-INDEX.csv, .npz or .raw here.")
    ] = None,
    capture: Annotated[
        int | None,
        typer.Option(
            "--capture",
            metavar="INDEX",
            help="Which one, where the run has several.",
            autocompletion=capture_indices,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document of what was written.")] = False,
) -> None:
    """Write one capture of a run: values as CSV, codes with scale as NPZ, or interleaved 16-bit codes.

    Raw codes come with a side file of the same name and .json, which holds channels, scale and settings.
    """
    from daemon.export.capture_file import CaptureFormat, contents_of
    from daemon.export.stored_captures import chosen_capture, stored_capture

    ending = "" if out is None else out.suffix.removeprefix(".").lower()
    form = form or (ending if ending in FORMATS else "csv")
    if form not in FORMATS:
        raise ExportError(f"--format {form} is none of {', '.join(FORMATS)}: give one of these")
    with run_store(config, directory) as store:
        index = chosen_capture(store, run_id, capture).capture_index
        found = stored_capture(store, _folder(config, directory), run_id, index)
    target = out or Path(f"{run_id}-{index}.{form}")
    contents = {
        target.with_name(target.name + added): content
        for added, content in contents_of(*found, CaptureFormat(form)).items()
    }
    try:
        write_together(contents)
    except OSError as error:
        raise ExportError(f"{target} was not written: {error.strerror}; name another file with --out") from error
    sizes = {str(path): len(contents[path]) for path in sorted(contents)}
    if as_json:
        typer.echo(json.dumps({"run_id": run_id, "format": form, "files": sizes}))
    else:
        typer.echo(f"{', '.join(sizes)}: {found[0].time_base.sample_count} samples as {form}", err=True)


def _folder(config: Path | None, directory: Path | None) -> Path:
    from daemon.configuration import load_configuration

    if directory is not None:
        return directory / "captures"
    return load_configuration(Path(str(config))).storage.captures_directory
