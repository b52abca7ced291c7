"""`joulebench`: the command and what every verb of it shares."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from daemon.cli import (
    backup,
    board,
    board_exec,
    board_marker,
    board_profile,
    calibrate,
    campaign,
    captures,
    check,
    compare,
    daemon,
    database,
    demo,
    discover,
    doctor,
    import_recording,
    networks,
    networks_accuracy,
    report,
    reprocess,
    runs,
    send_campaign,
    simulate,
    start_run,
    supply,
    verify,
    verify_faults,
    verify_soak,
    watch,
)
from metrology.errors import JoulebenchError

app = typer.Typer(
    name="joulebench",
    help="Energy per image of neural-network inference, measured with bench instruments, with its uncertainty.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"joulebench {version('joulebench')}")
        raise typer.Exit


@app.callback()
def _joulebench(
    _version: Annotated[  # the callback does it
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version, and exit.")
    ] = False,
) -> None:
    pass


app.command("demo")(demo.demo)
app.command("daemon")(daemon.daemon)
app.command("watch")(watch.watch)
app.command("discover")(discover.discover)
app.command("check")(check.check)
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
networks.app.command("accuracy")(networks_accuracy.accuracy)
app.add_typer(networks.app, name="networks")
app.add_typer(board.app, name="board")
board.app.command("exec", context_settings=board_exec.CONTEXT)(board_exec.exec_program)
board.app.command("marker")(board_marker.measure_marker)
board.app.command("profile")(board_profile.profile)
runs.app.command("start")(start_run.start_run)
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(runs.app, name="runs")
app.add_typer(database.app, name="database")
app.add_typer(captures.app, name="captures")
app.add_typer(backup.app, name="backup")
campaign.app.command("send")(send_campaign.send_campaign)
app.add_typer(campaign.app, name="campaign")
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("reprocess")(reprocess.reprocess)
app.add_typer(import_recording.app, name="import")
verify.app.command("faults")(verify_faults.faults)
verify.app.command("soak")(verify_soak.soak)
app.add_typer(supply.app, name="supply")
app.add_typer(verify.app, name="verify")

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


def main() -> None:
    """Run the command; an error that was foreseen is one sentence on standard error, not a trace."""
    try:
        app()
    except JoulebenchError as error:
        _end_with(str(error))
    except ModuleNotFoundError as error:
        _end_with(_missing(error))
    except OSError as error:
        # Files that cannot be had, ports that are taken, a disk that is full: the user's to mend; a trace is no help.
        logging.getLogger(__name__).debug("the operating system refused", exc_info=True)
        _end_with(_refusal(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        logging.shutdown()


def _end_with(text: str) -> NoReturn:
    Console(stderr=True, soft_wrap=True).print(f"joulebench: {text}", style="red", markup=False, highlight=False)
    sys.exit(1)


def _missing(error: ModuleNotFoundError) -> str:
    """Return what to install where a package is missing; raise the error where it is a module of this project."""
    package = (error.name or "").partition(".")[0]
    if package in {"", "metrology", "instruments", "calibration", "runners", "daemon"}:
        raise error
    return (
        f'this verb needs {package}, which is not installed here: pip install "joulebench[lab]" (or [report], [demo])'
    )


def _refusal(error: OSError) -> str:
    """Return what the operating system refused, with the file where it names one."""
    text = error.strerror or str(error) or type(error).__name__
    return text if error.filename is None else f"{error.filename}: {text}"


if __name__ == "__main__":
    main()
