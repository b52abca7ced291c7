"""`joulebench import`: energy per image from another instrument's recording, by the same metrology as a live capture.

Without `--json` the table is the output; with it, standard output holds one JSON document and nothing else.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
import typer.core
from rich.markup import escape

from daemon.cli import import_options as opt
from daemon.cli.import_options import Wanted
from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from instruments.recordings.recording import Recording

BOARD = "imported"


class _Formats(typer.core.TyperGroup):
    """The formats; a first word that is none of them is a file, whose format is detected."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        # a bare word that names no file is a format misspelt
        is_file = args[0] not in self.commands and (Path(args[0]).suffix != "" or Path(args[0]).exists())
        return super().resolve_command(ctx, ["auto", *args] if is_file else args)


app = typer.Typer(cls=_Formats, no_args_is_help=True, help="Measure the recordings of other instruments.")


@app.command("energyrunner")
def import_energyrunner(
    directory_of_files: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that holds trace1-energy.bin.")],
    images_per_window: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Images in each window, instead of what results.txt says.")
    ] = None,
    sync: Annotated[
        Literal["marker", "step"],
        typer.Option(help="Where windows come from: the board's time stamps, or the steps of the power alone."),
    ] = "marker",
    supply: Annotated[
        float | None, typer.Option(metavar="VOLTS", help="Supply voltage, at which the energies are kept as a current.")
    ] = None,
    directory: opt.DirectoryStoreOption = None,
    config: opt.ConfigStoreOption = None,
    network: opt.NetworkOption = None,
    batch_size: opt.BatchSizeOption = None,
    board: opt.BoardOption = BOARD,
    precision: opt.PrecisionOption = "unknown",
    run_id: opt.RunIdOption = None,
    instrument: opt.InstrumentOption = None,
    serial: opt.SerialOption = None,
    gain_accuracy: opt.GainOption = None,
    offset_accuracy: opt.OffsetOption = None,
    clock_accuracy: opt.ClockOption = None,
    as_json: opt.JsonOption = False,
) -> None:
    """Measure every inference window of an EEMBC EnergyRunner recording."""
    from instruments.recordings.energyrunner import read_recording

    wanted = Wanted(
        config=config,
        directory=directory,
        network=network,
        batch_size=batch_size,
        board=board,
        precision=precision,
        run_id=run_id,
        instrument=instrument,
        serial=serial,
        gain_pct=gain_accuracy,
        offset_a=offset_accuracy,
        clock_ppm=clock_accuracy,
        supply_v=supply,
    )
    wanted.check()
    recording = read_recording(directory_of_files, images_per_window=images_per_window, sync=sync)
    _show(recording, directory_of_files, wanted, as_json=as_json)


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
        means: Annotated[
            bool, typer.Option("--means", help="Each sample is the mean of its interval, and not a point.")
        ] = False,
        from_s: Annotated[
            float | None,
            typer.Option("--from", metavar="SECONDS", help="Take the file from here, from its first sample."),
        ] = None,
        to_s: Annotated[float | None, typer.Option("--to", metavar="SECONDS", help="Take it up to here.")] = None,
        window: Annotated[
            tuple[float, float] | None,
            typer.Option(metavar="START END", help="One window, in seconds from the first sample."),
        ] = None,
        images_per_window: opt.ImagesOption = None,
        sync: Annotated[
            Literal["marker", "step"],
            typer.Option(help="Where windows come from: the marker's line, or the steps of the power alone."),
        ] = "marker",
        directory: opt.DirectoryStoreOption = None,
        config: opt.ConfigStoreOption = None,
        network: opt.NetworkOption = None,
        batch_size: opt.BatchSizeOption = None,
        board: opt.BoardOption = BOARD,
        precision: opt.PrecisionOption = "unknown",
        run_id: opt.RunIdOption = None,
        instrument: opt.InstrumentOption = None,
        serial: opt.SerialOption = None,
        gain_accuracy: opt.GainOption = None,
        offset_accuracy: opt.OffsetOption = None,
        voltage_gain_accuracy: opt.VoltageGainOption = None,
        voltage_offset_accuracy: opt.VoltageOffsetOption = None,
        clock_accuracy: opt.ClockOption = None,
        as_json: opt.JsonOption = False,
    ) -> None:
        from daemon.cli.reading_bar import reading_bar
        from instruments.recordings.choice import Choice
        from instruments.recordings.formats import Format, read_file
        from metrology.window import Window

        wanted = Wanted(
            config=config,
            directory=directory,
            network=network,
            batch_size=batch_size,
            board=board,
            precision=precision,
            run_id=run_id,
            instrument=instrument,
            serial=serial,
            gain_pct=gain_accuracy,
            offset_a=offset_accuracy,
            voltage_gain_pct=voltage_gain_accuracy,
            voltage_offset_v=voltage_offset_accuracy,
            clock_ppm=clock_accuracy,
        )
        wanted.check()
        choice = Choice(
            current=current,
            voltage=voltage,
            marker=marker,
            supply_v=supply,
            amperes_per_volt=amperes_per_volt,
            time=time,
            rate_hz=rate,
            from_s=from_s,
            to_s=to_s,
            means=means,
        )
        given = () if window is None else (Window(start_s=window[0], end_s=window[1]),)
        images = images_per_window or batch_size
        with reading_bar(file.name, file.stat().st_size if file.is_file() else 0) as tell:
            recording = read_file(
                file, choice, kind=Format(kind), sync=sync, given=given, images_per_window=images, tell=tell
            )
        _show(recording, file, wanted, as_json=as_json)

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


def _show(recording: "Recording", path: Path, wanted: Wanted, *, as_json: bool) -> None:
    from daemon.cli.import_table import (
        recording_document,
        sample_rate_hz,
        summary_lines,
        windows_table,
    )
    from daemon.imports.draft import measured_apart

    summary = _summary(recording, path, wanted, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(recording_document(recording, summary), indent=2))
        return
    console = output_console()
    console.print(windows_table(recording, title=f"{path.resolve().name}: {sample_rate_hz(recording):g} Hz"))
    for line in () if summary is None else summary_lines(summary, apart=measured_apart(recording)):
        console.print(escape(line), highlight=False, soft_wrap=True)


def _summary(recording: "Recording", path: Path, wanted: Wanted, *, quiet: bool) -> Mapping[str, Any] | None:
    """Return what all windows together say, from the store where it is kept; None where nothing can be said."""
    from daemon.cli.import_table import summary_document
    from daemon.cli.progress_line import progress_line
    from daemon.errors import ImportRefused
    from daemon.imports.draft import draft_of, images_of
    from daemon.imports.import_analysis import analyse_import
    from daemon.imports.source_file import SourceFile

    with progress_line() if not quiet or sys.stderr.isatty() else nullcontext(_silent) as tell:
        try:
            images = images_of(recording)
            tell(f"computing from {path.name}")
            draft = draft_of(
                recording,
                SourceFile.of(path),
                images_per_window=images or 1,
                accuracy=wanted.accuracy(),
                instrument=wanted.instrument,
                serial=wanted.serial,
                supply_v=wanted.supply_v,
            )
        except ImportRefused:
            if wanted.stored:
                raise
            return None
        if not wanted.stored:
            return summary_document(analyse_import(draft.captures, draft.facts), images_known=images is not None)
        if images is None:
            raise ImportRefused(f"{path}: nobody says how many images a window holds; give --images-per-window N")
        from daemon.cli.import_store import keep

        return keep(draft, wanted, images_per_window=images, tell=tell)


def _silent(_text: str) -> None:
    """Tell nobody: a program reads what this verb prints, and nobody looks at standard error."""
