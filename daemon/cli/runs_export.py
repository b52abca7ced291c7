"""`joulebench runs export`: every run with its results as a table for other programs."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.completion import board_names, network_names, words
from daemon.cli.progress_line import progress_line
from daemon.cli.run_store import ConfigOption, DirectoryOption, run_store
from daemon.durable_file import write_durably
from daemon.errors import ExportError

if TYPE_CHECKING:
    from daemon.export.result_file import ExportFormat
    from daemon.store import Store

FORMATS = ("csv", "parquet", "json")
QUALITIES = ("valid", "degraded", "invalid")


def export_runs(
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="|".join(FORMATS),
            help="Left out: by the ending of --out, else csv.",
            autocompletion=words(*FORMATS),
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Written whole or not at all. Left out: standard output."),
    ] = None,
    network: Annotated[
        list[str] | None,
        typer.Option(help="Only this network; may be given several times.", autocompletion=network_names),
    ] = None,
    board: Annotated[
        list[str] | None,
        typer.Option(help="Only this board; may be given several times.", autocompletion=board_names),
    ] = None,
    quality: Annotated[
        list[str] | None,
        typer.Option(
            help="Only results that are valid, degraded or invalid; may be given several times.",
            autocompletion=words(*QUALITIES),
        ),
    ] = None,
    all_results: Annotated[
        bool, typer.Option("--all-results", help="Every result of a run, not the newest alone: one row each.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --out: print one JSON document of what was written.")
    ] = False,
) -> None:
    """Write every run with its newest result as a table, the newest run first.

    A run without a result is a row too, with its state and reason, unless --quality is given. The unit of each number
    is in the name of its column.
    """
    from daemon.export.result_file import file_of

    chosen = _format_of(form, out)
    _check_quality(quality or ())
    with run_store(config, directory) as store, progress_line() as tell:
        tell("reading runs and results")
        rows = [
            row
            for row in _rows(store, all_results=all_results)
            if _fits(row, network=network, board=board, quality=quality)
        ]
    content = file_of(rows, chosen)
    if out is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        write_durably(out, content)
    except OSError as error:
        raise ExportError(f"{out} was not written: {error.strerror}; name another file with --out") from error
    if as_json:
        typer.echo(json.dumps({"out": str(out), "format": chosen.value, "rows": len(rows), "size_bytes": len(content)}))
    else:
        typer.echo(f"{out}: {len(rows)} {'row' if len(rows) == 1 else 'rows'} as {chosen.value}", err=True)


def _format_of(form: str | None, out: Path | None) -> "ExportFormat":
    from daemon.export.result_file import ExportFormat

    word = form or (out.suffix.lstrip(".").lower() if out is not None else "csv")
    if word not in FORMATS:
        source = f"--format {form}" if form else f"the ending of {out}"
        raise ExportError(f"{source} is none of {', '.join(FORMATS)}: give --format one of these")
    if word == "parquet" and out is None:
        raise ExportError("Parquet is no text for a terminal or a pipe: name a file with --out")
    return ExportFormat(word)


def _check_quality(words: Sequence[str]) -> None:
    for word in words:
        if word not in QUALITIES:
            raise ExportError(f"--quality {word} is none of valid, degraded, invalid")


def _rows(store: "Store", *, all_results: bool) -> Iterator[dict[str, Any]]:
    from daemon.export.result_columns import row_of
    from daemon.run_history import runs_with_results

    for run, results in runs_with_results(store, newest_only=not all_results):
        yield from (row_of(run, result) for result in results or (None,))


def _fits(row: dict[str, Any], **wanted: Sequence[str] | None) -> bool:
    return all(not words or row[name] in words for name, words in wanted.items())
