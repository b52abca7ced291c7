"""`joulebench daemon`: serves one bench until it is told to stop."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.command_line import MB, RECORD_LIMIT_MB, RecordLimitOption, RecordOption
from daemon.cli.log import LogLevel, configure_log

if TYPE_CHECKING:
    from daemon.configuration import Configuration
    from instruments.connector import Connector


def daemon(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    log_level: Annotated[LogLevel, typer.Option(help="How much is logged, on standard error.")] = LogLevel.INFO,
    record: RecordOption = None,
    record_limit_mb: RecordLimitOption = RECORD_LIMIT_MB,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing that changes the supply; reject runs once all is checked.")
    ] = False,
) -> None:
    """Measure runs on one bench as boards ask for them, until SIGINT or SIGTERM."""
    from daemon.bootstrap import recording_to
    from daemon.configuration import load_configuration

    configuration = load_configuration(config)
    if dry_run:
        safety = configuration.safety.model_copy(update={"dry_run": True})
        configuration = configuration.model_copy(update={"safety": safety})
    configure_log(log_level)
    with recording_to(record, limit_bytes=record_limit_mb * MB) as connector:
        asyncio.run(serve(configuration, connector=connector))


async def serve(configuration: "Configuration", *, connector: "Connector | None" = None) -> None:
    """Serve a bench until SIGINT or SIGTERM; the run in hand then ends as interrupted, and is announced so.

    SIGHUP, of a terminal that is closed, is one of them, unless it is ignored (`nohup`): the supply's output is to be
    left as configured then too.
    """
    from daemon.bootstrap import application

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _endings():
        loop.add_signal_handler(number, stop.set)
    name = configuration.bench.name
    await application(configuration, connector=connector).run(
        stop=stop, ready=lambda: typer.echo(f"bench {name} is served; Ctrl-C stops", err=True)
    )


def _endings() -> list[signal.Signals]:
    """Return the signals that end the daemon in an orderly way."""
    endings = [signal.SIGINT, signal.SIGTERM]
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        endings.append(signal.SIGHUP)
    return endings
