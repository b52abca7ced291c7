"""`joulebench report`: what was measured, as a page, a PDF, figures and a table for a paper."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, check_one_store, run_store


def report(
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    campaign: Annotated[
        str | None,
        typer.Option(
            "--campaign",
            metavar="ID|JOURNAL",
            help="Only the runs of this campaign: its identifier, or its journal (*.campaign.jsonl); "
            "left out: every run.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder to write to.")] = Path(
        "report"
    ),
    as_json: JsonOption = False,
) -> None:
    """Write the report: one HTML file with everything in it, a PDF, LaTeX tables, each figure as PNG, SVG and CSV."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    from calibration.store import CertificateStore
    from daemon.captures import CaptureFiles
    from daemon.report.campaign_runs import campaign_runs
    from daemon.report.material import read_material
    from daemon.report.writing import write_report

    check_one_store(config, directory)
    columns = (TextColumn("{task.description}"), BarColumn(20), TimeRemainingColumn())
    captures, certificates = _folders(config, directory)
    console = Console(stderr=True, soft_wrap=True)

    def tell(text: str) -> None:
        """A line for a pipe or a file, where no bar is drawn."""
        if not console.is_terminal:
            console.print(text, markup=False, highlight=False)

    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        tell("reading the runs")
        task = progress.add_task("reading the runs", total=1.0)
        files = CaptureFiles(captures)
        with run_store(config, directory) as store:
            runs = None if campaign is None else campaign_runs(store, campaign)
            material = read_material(
                store,
                title=runs.campaign_id if runs else "all runs",
                files=files,
                certificates=CertificateStore(certificates),
                run_ids=runs.run_ids if runs else None,
                missing=runs.missing if runs else (),
            )
        tell(f"writing the report of {len(material.cells)} row{'' if len(material.cells) == 1 else 's'} to {out}")
        written = write_report(
            material, files, out,
            tell=lambda text, part: progress.update(task, description=f"writing: {text}", completed=part),
        )  # fmt: skip
    if as_json:
        document = {
            "html": str(written[0]), "pdf": str(written[1]), "latex": str(written[2]), "figures": str(out / "figures"),
            "rows": len(material.cells), "valid": material.valid_runs, "degraded": material.degraded_runs,
            "invalid": list(material.invalid), "simulated": material.provenance.simulated,
        }  # fmt: skip
        typer.echo(json.dumps(document, indent=2))
        return
    for path in (*written, out / "figures"):
        typer.echo(f"written: {path}")


def _folders(config: Path | None, directory: Path | None) -> tuple[Path, Path]:
    """Return where captures and certificates lie."""
    from daemon.configuration import load_configuration

    if directory is not None:
        return directory / "captures", directory / "certificates"
    configuration = load_configuration(Path(str(config)))
    return configuration.storage.captures_directory, configuration.calibration.directory
