"""Import options: what a person says of a recording beside its file; the same for every format."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from daemon.cli.run_store import JsonOption

if TYPE_CHECKING:
    from daemon.imports.stated_accuracy import StatedAccuracy
    from daemon.imports.stored_import import RunNames

_STORE = "Keep it as a run"
_ACCURACY = "Accuracy of the instrument"


def _stored(metavar: str, text: str) -> Any:
    """Return an option that says as what run a recording is kept."""
    return typer.Option(metavar=metavar, rich_help_panel=_STORE, help=text)


def _accuracy(metavar: str, text: str) -> Any:
    """Return an option that says how well an instrument measures."""
    return typer.Option(metavar=metavar, rich_help_panel=_ACCURACY, help=text)


ImagesOption = Annotated[int | None, typer.Option(min=1, metavar="N", help="Images in each window.")]
ConfigStoreOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        rich_help_panel=_STORE,
        help="Or keep it in the storage of this configuration.",
    ),
]
DirectoryStoreOption = Annotated[
    Path | None,
    typer.Option(
        "--directory",
        metavar="DIR",
        rich_help_panel=_STORE,
        help="Keep it as a run in this storage directory, which is made where it is missing.",
    ),
]
NetworkOption = Annotated[str | None, _stored("NAME", "Network that was measured.")]
BatchSizeOption = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", rich_help_panel=_STORE, help="Images in a batch; left out: a window is a batch."),
]
BoardOption = Annotated[str, _stored("NAME", "Board that ran it.")]
PrecisionOption = Annotated[str, _stored("NAME", "Number format of the inference, such as int8.")]
RunIdOption = Annotated[
    str | None,
    _stored("ID", "Name of the run; left out: the file's, and its checksum."),
]
InstrumentOption = Annotated[
    str | None,
    _accuracy("NAME", "Model of the instrument that recorded it, where the file does not say."),
]
SerialOption = Annotated[
    str | None,
    _accuracy("NUMBER", "Serial number, where the file has none: recordings of one unit share its errors."),
]
GainOption = Annotated[
    float | None,
    _accuracy("PERCENT", "Limit of the current's relative error."),
]
OffsetOption = Annotated[
    float | None,
    _accuracy("AMPERES", "Limit of the error of the current's zero."),
]
VoltageGainOption = Annotated[
    float | None,
    _accuracy("PERCENT", "Limit of the voltage's relative error."),
]
VoltageOffsetOption = Annotated[
    float | None,
    _accuracy("VOLTS", "Limit of the error of the voltage's zero."),
]
ClockOption = Annotated[
    float | None,
    _accuracy("PPM", "Limit of the sample clock's error; left out: 100."),
]
__all__ = ["JsonOption"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to become of a recording."""

    config: Path | None
    directory: Path | None
    network: str | None
    batch_size: int | None
    board: str
    precision: str
    run_id: str | None
    instrument: str | None
    serial: str | None
    gain_pct: float | None
    offset_a: float | None
    clock_ppm: float | None
    voltage_gain_pct: float | None = None
    voltage_offset_v: float | None = None
    supply_v: float | None = None

    @property
    def stored(self) -> bool:
        """Whether it is to be kept as a run."""
        return self.config is not None or self.directory is not None

    def check(self) -> None:
        """Refuse what lacks a part, before a long file is read."""
        if self.config is not None and self.directory is not None:
            raise typer.BadParameter("give either --config FILE or --directory DIR")
        if self.stored and self.network is None:
            raise typer.BadParameter("a run that is kept needs --network NAME")
        asked = [name for name in ("network", "batch_size", "run_id") if getattr(self, name) is not None]
        if asked and not self.stored:
            option = asked[0].replace("_", "-")
            raise typer.BadParameter(f"--{option} is for a run that is kept: say where with --directory DIR")
        if self.stored:
            self.names(1)

    def accuracy(self) -> "StatedAccuracy":
        """Return what was said of the instrument."""
        from daemon.imports.stated_accuracy import StatedAccuracy

        return StatedAccuracy(
            gain=_scaled(self.gain_pct, 1e-2),
            offset_a=self.offset_a,
            voltage_gain=_scaled(self.voltage_gain_pct, 1e-2),
            voltage_offset_v=self.voltage_offset_v,
            clock=_scaled(self.clock_ppm, 1e-6),
        )

    def names(self, images_per_window: int) -> "RunNames":
        """Return what the run is to be called."""
        from daemon.imports.stored_import import RunNames

        return RunNames(
            network=str(self.network),
            board=self.board,
            precision=self.precision,
            batch_size=self.batch_size or images_per_window,
            run_id=self.run_id,
        )


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
