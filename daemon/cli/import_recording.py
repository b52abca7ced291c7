"""`joulebench import`: energy per image from another instrument's recording, by the same metrology as a live capture.

Without `--json` the table is the output; with it, standard output holds one JSON document and nothing else.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from instruments.recordings.recording import Recording

app = typer.Typer(no_args_is_help=True, help="Measure the recordings of other instruments.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowEnergy:
    """One inference window, measured; its fields are keys of the JSON document."""

    start_s: float
    """Start, in seconds from the first sample."""
    end_s: float
    """End, in seconds from the first sample."""
    energy_j: float
    """Energy of the window, from the samples, in joules."""
    mean_power_w: float
    """Mean power in the window, in watts."""
    images: int | None
    """Images inferred in it; None where nobody says."""
    energy_per_image_j: float | None
    """Energy of one image, in joules; None without their number."""


@app.callback()
def _formats() -> None:
    """Keep the name of the format in the command line, while there is only one."""


@app.command("energyrunner")
def import_energyrunner(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds trace1-energy.bin.")],
    images_per_window: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Images in each window, instead of what results.txt says.")
    ] = None,
    sync: Annotated[
        Literal["marker", "step"],
        typer.Option(help="Where windows come from: the board's time stamps, or the steps of the power alone."),
    ] = "marker",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure every inference window of an EEMBC EnergyRunner recording."""
    from instruments.recordings.energyrunner import read_recording

    recording = read_recording(directory, images_per_window=images_per_window, sync=sync)
    energies = measure_windows(recording)
    if as_json:
        document = {"sample_rate_hz": recording.sample_rate_hz, "sync": recording.sync}
        typer.echo(json.dumps(document | {"windows": _window_documents(recording, energies)}, indent=2))
    else:
        title = f"{directory.resolve().name}: {recording.sample_rate_hz:g} Hz"
        output_console().print(_table(recording, energies, title=title))


def measure_windows(recording: "Recording") -> list[WindowEnergy]:
    """Return each inference window of a recording with its energy, computed from the samples."""
    from metrology.power import energy_j, mean_power_w

    measured = []
    for window, images in zip(recording.windows, recording.images, strict=True):
        window_j = energy_j(recording.record, window)
        measured.append(
            WindowEnergy(
                start_s=window.start_s,
                end_s=window.end_s,
                energy_j=window_j,
                mean_power_w=mean_power_w(recording.record, window),
                images=images,
                energy_per_image_j=None if images is None else window_j / images,
            )
        )
    return measured


def _window_documents(recording: "Recording", energies: list[WindowEnergy]) -> list[dict[str, Any]]:
    """Return each window as a JSON object; one that was found in the power says whether it is sure, or why not."""
    documents = [asdict(one) for one in energies]
    if recording.sync != "step":
        return documents
    pairs = zip(documents, recording.doubts, strict=True)
    return [document | {"confident": doubt is None, "reason": doubt} for document, doubt in pairs]


def _table(recording: "Recording", energies: list[WindowEnergy], *, title: str) -> Table:
    stepped = recording.sync == "step"
    table = Table(title=title, caption="No windows were found." if not energies else None)
    for name in ("start / s", "end / s", "energy / J", "mean power / W", "images", "energy per image / J"):
        table.add_column(name, justify="right")
    if stepped:
        table.add_column("confident")
    judgements = [[doubt or "yes"] for doubt in recording.doubts] if stepped else [[] for _ in energies]
    for one, judgement in zip(energies, judgements, strict=True):
        per_image = "-" if one.energy_per_image_j is None else f"{one.energy_per_image_j:.6g}"
        images = "-" if one.images is None else str(one.images)
        edges = (f"{one.start_s:.3f}", f"{one.end_s:.3f}")
        table.add_row(*edges, f"{one.energy_j:.6g}", f"{one.mean_power_w:.6g}", images, per_image, *judgement)
    return table
