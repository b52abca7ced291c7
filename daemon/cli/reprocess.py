"""`joulebench reprocess`: new results from stored captures, beside the old ones."""

import json
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.completion import certificate_ids, run_ids
from daemon.cli.run_store import JsonOption, run_store
from metrology.errors import JoulebenchError

if TYPE_CHECKING:
    from daemon.records import ResultRecord
    from daemon.store import Store
    from runners.messages import RunResult

VOLATILE = ("result_id", "at_utc_ns")
"""What differs between two results of the same inputs: their name, and when they were computed."""


def reprocess(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Identifiers of the runs.", autocompletion=run_ids)
    ],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory", metavar="DIR", help="Storage directory of runs that were imported, which need none."
        ),
    ] = None,
    certificate: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Certificate to use in the place of its kind; may be given several times.",
            autocompletion=certificate_ids,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compute runs again from their stored captures; every result is kept, and none is overwritten.

    A run that cannot be computed does not keep the others from it. Exit status 0: all were. 1: some were not.
    """
    with run_store(config, directory, read_only=False) as store:
        compute = _computation(store, config, directory, tuple(certificate or ()))
        documents: list[dict[str, Any]] = []
        failures: list[tuple[str, str]] = []
        for run_id in _tracked(runs):
            before = store.latest_result(run_id)
            try:
                after = compute(run_id)
            except (JoulebenchError, OSError) as error:
                failures.append((run_id, str(error)))
                continue
            documents.append(_document(before, after))
            if not as_json:
                typer.echo(_sentence(store, before, after))
    if as_json:
        failed = [{"run_id": run_id, "text": text} for run_id, text in failures]
        typer.echo(json.dumps({"results": documents, "failures": failed}, indent=2))
    for run_id, text in failures:
        typer.echo(f"joulebench: {run_id} was not computed: {text}", err=True)
    if failures:
        raise typer.Exit(1)


def _computation(
    store: "Store", config: Path | None, directory: Path | None, certificates: tuple[str, ...]
) -> "Callable[[str], RunResult]":
    """Return what computes a run: by a bench's configuration, or, in a bare folder, by what imported captures say."""
    from daemon.captures import CaptureFiles
    from daemon.configuration import load_configuration
    from daemon.imports.imported_result import imported_alone
    from daemon.measurement import Measurement

    if directory is not None:
        if certificates:
            raise typer.BadParameter("--certificate is for runs of a bench; give its --config FILE")
        files = CaptureFiles(directory / "captures")
        return lambda run_id: imported_alone(store, files, run_id, version=version("joulebench"))
    configuration = load_configuration(Path(str(config)))
    files = CaptureFiles(configuration.storage.captures_directory)
    measurement = Measurement(configuration, store, files, version=version("joulebench"))
    return lambda run_id: measurement.result(run_id, certificates=certificates)


def _tracked(runs: list[str]) -> Iterable[str]:
    """Return the runs, with a bar of progress where somebody looks at it."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(runs, "reprocessing", console=console, transient=True) if console.is_terminal else runs


def same_numbers(before: "ResultRecord | None", after: "RunResult") -> bool:
    """Tell whether two results agree to the last bit in everything but their name and time."""
    if before is None:
        return False
    old, new = dict(before.document), after.model_dump(mode="json")
    return {key: old.get(key) for key in new if key not in VOLATILE} == {
        key: value for key, value in new.items() if key not in VOLATILE
    }


def _document(before: "ResultRecord | None", after: "RunResult") -> dict[str, Any]:
    return {
        "run_id": after.run_id,
        "previous_result_id": None if before is None else before.result_id,
        "identical": same_numbers(before, after),
        "result": after.model_dump(mode="json"),
    }


def _sentence(store: "Store", before: "ResultRecord | None", after: "RunResult") -> str:
    from daemon.quantity_text import quantity_text

    gross = after.gross_energy_per_image_j
    new = "not measured" if gross is None else quantity_text(gross.value, gross.expanded_uncertainty_95)
    count = len(store.results(after.run_id))
    if before is None:
        change = "its first result"
    elif same_numbers(before, after):
        change = "the same to the last bit as before"
    else:
        change = f"before: {quantity_text(before.gross_energy_per_image_j, before.gross_u95_j)} J, {before.quality}"
    return f"{after.run_id}: {new} J per image, {after.quality} (result {count}; {change})"
