"""`joulebench calibrate`: guides a person through a calibration, or rehearses it on the simulated bench.

Progress and instructions go to standard error; the certificate is the output, as text or as one JSON document.
"""

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from calibration.validity import VALIDITY_DAYS
from daemon.cli.calibrate_order import (
    ConfigOption,
    DaysOption,
    JsonOption,
    Order,
    SayOption,
    TruthOption,
    UnattendedOption,
    certificate_document,
    desk_of,
    print_certificate,
)
from daemon.cli.calibrate_table import certificates_table
from daemon.cli.completion import certificate_ids
from daemon.cli.output_console import output_console

if TYPE_CHECKING:
    from calibration.reference import Reference
    from calibration.zero_certificate import ZeroCertificate
    from daemon.calibration_desk import CalibrationDesk

app = typer.Typer(no_args_is_help=True, help="Calibrate the bench, and list its certificates.")


@app.command("zero")
def zero(
    config: ConfigOption,
    unattended: UnattendedOption = False,
    truth: TruthOption = None,
    validity_days: DaysOption = VALIDITY_DAYS["zero"],
    say: SayOption = None,
    as_json: JsonOption = False,
    jaw_open: Annotated[
        bool, typer.Option("--jaw-open", help="Take the lead out of the jaw instead of disconnecting the board.")
    ] = False,
    closes: Annotated[
        str | None,
        typer.Option(
            metavar="ID", help="Zero certificate whose bracket this one closes.", autocompletion=certificate_ids
        ),
    ] = None,
) -> None:
    """Measure the zero of probe and channel, and the supply's read-back offset: before and after a campaign."""
    from calibration.procedures.zero import measure_zero

    order = _order(config, unattended, truth, validity_days, say, as_json)
    desk = order.desk()
    opened_by = None if closes is None else _zero(desk, closes)
    procedure = partial(measure_zero, jaw_open=jaw_open, opened_by=opened_by, within_a=desk.zero_within_a)
    order.finish(desk, order.run(desk, procedure), None)


@app.command("gain")
def gain(
    config: ConfigOption,
    unattended: UnattendedOption = False,
    truth: TruthOption = None,
    validity_days: DaysOption = VALIDITY_DAYS["gain"],
    say: SayOption = None,
    as_json: JsonOption = False,
    levels: Annotated[int, typer.Option(min=3, max=100, help="Currents of the ladder.")] = 6,
    resistor_ohm: Annotated[
        float | None, typer.Option(min=0.1, metavar="OHM", help="A resistor in place of the short.")
    ] = None,
    ammeter: Annotated[
        tuple[float, float] | None,
        typer.Option(metavar="FRACTION AMPERE", help="Limits of a better ammeter, whose readings you will enter."),
    ] = None,
) -> None:
    """Calibrate gain and zero of probe, turns and channel over a ladder of known currents."""
    from calibration.procedures.gain import calibrate_gain

    if ammeter is not None and unattended:
        raise typer.BadParameter(
            "an ammeter needs a person who reads it: leave out --unattended", param_hint="--ammeter"
        )
    order = _order(config, unattended, truth, validity_days, say, as_json)
    desk = order.desk()
    reference = _reference(desk, ammeter)
    procedure = partial(calibrate_gain, reference=reference, resistor_ohm=resistor_ohm, levels=levels)
    fitted = order.run(desk, procedure)
    order.finish(desk, fitted.certificate, fitted)


@app.command("delay")
def delay(
    config: ConfigOption,
    board: Annotated[str, typer.Option(metavar="NAME", help="Name of the board.")],
    unattended: UnattendedOption = False,
    truth: TruthOption = None,
    validity_days: DaysOption = VALIDITY_DAYS["delay"],
    say: SayOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure how long after the marker's edge the current's edge comes, for one board."""
    from calibration.procedures.delay import measure_delay

    order = _order(config, unattended, truth, validity_days, say, as_json)
    desk = order.desk()
    fitted = order.run(desk, partial(measure_delay, board=board))
    order.finish(desk, fitted.certificate, fitted)


@app.command("lead")
def lead(
    config: ConfigOption,
    unattended: UnattendedOption = False,
    truth: TruthOption = None,
    validity_days: DaysOption = VALIDITY_DAYS["lead"],
    say: SayOption = None,
    as_json: JsonOption = False,
    channel: Annotated[
        int | None, typer.Option(min=1, max=4, metavar="N", help="Channel of the voltage probe at the board's end.")
    ] = None,
) -> None:
    """Measure the resistance of the leads between supply and board."""
    from calibration.procedures.lead import Limits, lead_settings, measure_lead

    order = _order(config, unattended, truth, validity_days, say, as_json)
    desk = order.desk()
    supply = desk.configuration.power_supply
    limits = Limits(
        channel_gain=desk.configuration.oscilloscope.gain_limit,
        voltage_gain=supply.readback_gain_limit,
        current_gain=supply.current_readback_gain_limit,
    )
    procedure = partial(measure_lead, remote_sense=desk.configuration.leads.remote_sense, limits=limits)
    fitted = order.run(desk, procedure, settings=lead_settings(desk.settings, channel=channel))
    order.finish(desk, fitted.certificate, fitted)


@app.command("list")
def list_certificates(config: ConfigOption, as_json: JsonOption = False) -> None:
    """List the certificates, the newest first."""
    desk = desk_of(config)
    certificates = desk.store.certificates()
    if as_json:
        documents = [certificate_document(one) for one in certificates]
        typer.echo(json.dumps({"certificates": documents}, indent=2))
    elif certificates:
        output_console().print(certificates_table(certificates, now_utc_ns=time.time_ns()))
    else:
        typer.echo(
            f"there is no certificate in {desk.store.directory} yet; `joulebench calibrate gain` makes the first"
        )


@app.command("show")
def show_certificate(
    certificate_id: Annotated[
        str, typer.Argument(metavar="ID", help="Identifier of the certificate.", autocompletion=certificate_ids)
    ],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Show one certificate."""
    print_certificate(desk_of(config).store.read(certificate_id), as_json=as_json)


def _order(
    config: ConfigOption,
    unattended: bool,
    truth: str | None,
    validity_days: float,
    say: list[str] | None,
    as_json: bool,
) -> Order:
    return Order(
        config=config, unattended=unattended, truth=truth, validity_days=validity_days, say=say, as_json=as_json
    )


def _zero(desk: "CalibrationDesk", certificate_id: str) -> "ZeroCertificate":
    from calibration.errors import BadCertificate
    from calibration.procedures.zero import zero_to_close

    try:
        return zero_to_close(desk.store, certificate_id)
    except BadCertificate as error:
        raise typer.BadParameter(str(error)) from error


def _reference(desk: "CalibrationDesk", ammeter: tuple[float, float] | None) -> "Reference":
    from calibration.reference import Ammeter, SupplyReadBack

    if ammeter is not None:
        return Ammeter(gain_limit=ammeter[0], offset_limit_a=ammeter[1])
    return SupplyReadBack(gain_limit=desk.configuration.power_supply.current_readback_gain_limit)
