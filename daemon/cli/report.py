"""`joulebench report`: what was measured, as a page, a PDF, figures and a table for a paper."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from daemon.cli.run_store import ConfigOption, DirectoryOption, JsonOption, run_store


def report(
    config: ConfigOption = None,
    directory: DirectoryOption = None,
    campaign: Annotated[
        str | None,
        typer.Option("--campaign", metavar="ID", help="Only the runs of this campaign; left out: every run."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder to write to.")] = Path(
        "report"
    ),
    as_json: JsonOption = False,
) -> None:
    """Write the report: one HTML file with everything in it, a PDF, a LaTeX table, each figure as PNG, SVG and CSV."""
    from daemon.captures import CaptureFiles
    from daemon.report.campaign_runs import campaign_runs
    from daemon.report.material import read_material
    from daemon.report.writing import write_report

    with run_store(config, directory) as store:
        run_ids = None if campaign is None else campaign_runs(store, campaign)
        material = read_material(store, title=campaign or "all runs", run_ids=run_ids)
    with Console(stderr=True).status("writing the report") as status:
        files = CaptureFiles(_captures_folder(config, directory))
        written = write_report(material, files, out, tell=lambda text: status.update(f"writing the report: {text}"))
    if as_json:
        document = {
            "html": str(written[0]), "pdf": str(written[1]), "latex": str(written[2]), "figures": str(out / "figures"),
            "rows": len(material.cells), "invalid": list(material.invalid),
        }  # fmt: skip
        typer.echo(json.dumps(document, indent=2))
        return
    for path in (*written, out / "figures"):
        typer.echo(f"written: {path}")


def _captures_folder(config: Path | None, directory: Path | None) -> Path:
    from daemon.configuration import load_configuration

    if directory is not None:
        return directory / "captures"
    return load_configuration(Path(str(config))).storage.captures_directory
