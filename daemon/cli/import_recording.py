"""`joulebench import`: energy per image from another instrument's recording, by the same metrology as a live capture.

Without `--json` the table is the output; with it, standard output holds one JSON document and nothing else.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
import typer.core
from rich.table import Table

from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from instruments.recordings.recording import Recording


class _Formats(typer.core.TyperGroup):
    """The formats; a first word that is none of them is a file, whose format is detected."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # a bare word that names no file is a format misspelt
        is_file = args[0] not in self.commands and (Path(args[0]).suffix != "" or Path(args[0]).exists())
        return super().resolve_command(ctx, ["auto", *args] if is_file else args)


app = typer.Typer(cls=_Formats, no_args_is_help=True, help="Measure the recordings of other instruments.")


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
    _show(recording, directory, as_json=as_json)


def _show(recording: "Recording", path: Path, *, as_json: bool) -> None:
    energies = measure_windows(recording)
    if as_json:
        document = {"sample_rate_hz": recording.sample_rate_hz, "sync": recording.sync}
        typer.echo(json.dumps(document | {"windows": _window_documents(recording, energies)}, indent=2))
    else:
        title = f"{path.resolve().name}: {recording.sample_rate_hz:g} Hz"
        output_console().print(_table(recording, energies, title=title))


def _importer(kind: str) -> Callable[..., None]:
    def run(
        file: Annotated[Path, typer.Argument(metavar="FILE", help="The instrument's file.")],
        current: Annotated[str | None, typer.Option(help="Column, channel or signal of the current.")] = None,
        voltage: Annotated[str | None, typer.Option(help="Column, channel or signal of the voltage.")] = None,
        marker: Annotated[str | None, typer.Option(help="Line that is high in each window, as D0.")] = None,
        time: Annotated[str | None, typer.Option(help="Column of time.")] = None,
        supply: Annotated[
            float | None, typer.Option(metavar="VOLTS", help="Supply voltage, where the file holds none.")
        ] = None,
        amperes_per_volt: Annotated[
            float | None, typer.Option(help="Scale of a current probe on a channel in volts.")
        ] = None,
        rate: Annotated[float | None, typer.Option(metavar="HZ", help="Sample rate, where there is no time.")] = None,
        window: Annotated[
            tuple[float, float] | None,
            typer.Option(metavar="START END", help="One window, in seconds from the first sample."),
        ] = None,
        images_per_window: Annotated[
            int | None, typer.Option(min=1, metavar="N", help="Images in each window.")
        ] = None,
        sync: Annotated[
            Literal["marker", "step"],
            typer.Option(help="Where windows come from: the marker's line, or the steps of the power alone."),
        ] = "marker",
        as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    ) -> None:
        from daemon.cli.progress_line import progress_line
        from instruments.recordings.choice import Choice
        from instruments.recordings.formats import Format, read_file
        from metrology.window import Window

        choice = Choice(
            current=current,
            voltage=voltage,
            marker=marker,
            supply_v=supply,
            amperes_per_volt=amperes_per_volt,
            time=time,
            rate_hz=rate,
        )
        given = () if window is None else (Window(start_s=window[0], end_s=window[1]),)
        with progress_line() as tell:
            tell(f"reading {file.name}")
            recording = read_file(
                file, choice, kind=Format(kind), sync=sync, given=given, images_per_window=images_per_window
            )
        _show(recording, file, as_json=as_json)

    return run


_HELP = {
    "auto": "Measure a file whose format is detected; the word may be left out.",
    "jls": "Measure a Joulescope JLS file.",
    "ppk2": "Measure a file of Nordic's PPK2, .ppk2 or CSV.",
    "keysight": "Measure an InfiniiVision waveform, .bin or CSV.",
    "otii": "Measure an Otii CSV file.",
    "csv": "Measure any CSV file with named columns.",
}
for _name, _text in _HELP.items():
    app.command(_name, help=_text)(_importer(_name))


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
