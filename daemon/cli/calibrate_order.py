"""Calibration order: what every verb of `joulebench calibrate` is told, and how it is carried out."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from daemon.cli.calibrate_table import certificate_lines

if TYPE_CHECKING:
    from calibration.bench_operator import Operator
    from calibration.certificate import Certificate
    from calibration.pictures import Fitted
    from calibration.workbench import Particulars, Workbench
    from daemon.calibration_desk import CalibrationDesk
    from instruments.bench_settings import BenchSettings

R = TypeVar("R")

ConfigOption = Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")]
UnattendedOption = Annotated[
    bool, typer.Option("--unattended", help="Have the simulated bench rewire itself; needs --truth.")
]
TruthOption = Annotated[
    str | None,
    typer.Option(metavar="tcp://HOST:PORT", help="Side channel of the simulated bench, from its ready file."),
]
DaysOption = Annotated[float, typer.Option(min=0.01, metavar="DAYS", help="How long the certificate holds.")]
SayOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="KEY=VALUE",
        help="What the certificate is to say, again and again: made_by, note, serial.probe (or another role), and "
        "anything of the room, such as temperature_c=23.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be calibrated, by whom."""

    config: Path
    """Configuration of the bench."""
    unattended: bool
    """Whether the simulated bench rewires itself."""
    truth: str | None
    """Its side channel."""
    validity_days: float
    """How long the certificate holds, in days."""
    say: list[str] | None
    """Entries `KEY=VALUE` for the certificate."""
    as_json: bool
    """Whether the certificate is printed as JSON."""

    def desk(self) -> "CalibrationDesk":
        """Return the desk of this bench."""
        return desk_of(self.config)

    def run(
        self,
        desk: "CalibrationDesk",
        procedure: "Callable[[Workbench], Awaitable[R]]",
        *,
        settings: "BenchSettings | None" = None,
    ) -> R:
        """Run a procedure, telling its progress on standard error."""
        console = Console(stderr=True)

        def progress(text: str, done: int, total: int) -> None:
            console.print(f"[{done:>2}/{total}] {text}", markup=False, highlight=False)

        particulars = self._particulars()
        with self._operator() as operator:
            return asyncio.run(
                desk.run(procedure, operator=operator, particulars=particulars, progress=progress, settings=settings)
            )

    def finish(self, desk: "CalibrationDesk", certificate: "Certificate", fitted: "Fitted | None") -> None:
        """Store a certificate with the picture of its fit, and print it."""
        from calibration.pictures import draw_fit

        path, picture = desk.file(certificate, None if fitted is None else lambda target: draw_fit(fitted, target))
        for written in (path, picture):
            if written is not None:
                typer.echo(f"written: {written}", err=True)
        print_certificate(certificate, as_json=self.as_json)

    def _particulars(self) -> "Particulars":
        from calibration.errors import BadEntry
        from calibration.said import particulars_from

        made_by = "unattended" if self.unattended else "not said"
        try:
            return particulars_from(self.say or [], made_by=made_by, validity_days=self.validity_days)
        except BadEntry as error:
            raise typer.BadParameter(str(error)) from error

    @contextmanager
    def _operator(self) -> "Iterator[Operator]":
        from daemon.cli.bench_person import BenchPerson

        if self.unattended != (self.truth is not None):
            raise typer.BadParameter("--unattended and --truth go together: only a simulated bench rewires itself")
        if self.truth is None:
            yield BenchPerson()
            return
        from instruments.simulated.rehearsal import Rehearsal
        from instruments.simulated.truth import TruthClient

        with TruthClient(self.truth) as truth:
            yield Rehearsal(truth)


def desk_of(config: Path) -> "CalibrationDesk":
    """Return the desk of the bench that a configuration describes."""
    from daemon.bootstrap import bench_settings
    from daemon.calibration_desk import CalibrationDesk
    from daemon.configuration import load_configuration

    configuration = load_configuration(config)
    return CalibrationDesk(configuration, settings=bench_settings(configuration))


def certificate_document(certificate: "Certificate") -> dict[str, Any]:
    """Return a certificate as its file has it."""
    from calibration.document import certificate_to_text

    document: dict[str, Any] = json.loads(certificate_to_text(certificate))
    return document


def print_certificate(certificate: "Certificate", *, as_json: bool) -> None:
    """Print a certificate as one JSON document, or for people."""
    if as_json:
        typer.echo(json.dumps(certificate_document(certificate), indent=2))
        return
    for line in certificate_lines(certificate):
        typer.echo(line)
