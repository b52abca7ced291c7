"""`joulebench daemon`: serves one bench until it is told to stop."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daemon.cli.command_line import MB, RECORD_LIMIT_MB, RecordLimitOption, RecordOption
from daemon.cli.hang_up import HangUp, HangUpOption, what_a_hang_up_means
from daemon.cli.log import (
    LogDestination,
    LogFileMbOption,
    LogFileOption,
    LogFilesOption,
    LogFormatOption,
    LogLevel,
    configure_log,
    set_log_level,
)
from daemon.service_notifier import ServiceNotifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from daemon.application import Application
    from daemon.configuration import Configuration
    from daemon.readiness import Finding
    from daemon.service_pulse import ServicePulse
    from instruments.connector import Connector

logger = logging.getLogger(__name__)

FAREWELL_S = 60.0
"""What a stop may take beside the run in hand, in seconds: instruments that do not answer, messages on their way."""


def daemon(
    config: Annotated[Path, typer.Option("--config", metavar="FILE", help="Configuration of the bench (TOML).")],
    log_level: Annotated[
        LogLevel | None, typer.Option(help="How much is logged; goes before `log.level` of the configuration.")
    ] = None,
    log_format: LogFormatOption = None,
    log_file: LogFileOption = None,
    log_file_mb: LogFileMbOption = 20,
    log_files: LogFilesOption = 5,
    hang_up: HangUpOption = HangUp.AUTO,
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
        configuration = _in_dry_run(configuration)
    to = LogDestination(format=log_format, file=log_file, file_mb=log_file_mb, files=log_files)
    configure_log(log_level or configuration.log.level, place=configuration.bench.name, to=to)
    with recording_to(record, limit_bytes=record_limit_mb * MB) as connector:
        serving = serve(
            configuration,
            connector=connector,
            read=lambda: _in_dry_run(load_configuration(config)) if dry_run else load_configuration(config),
            follow_log_level=log_level is None,
            hang_up=hang_up,
        )
        asyncio.run(serving)


def _in_dry_run(configuration: "Configuration") -> "Configuration":
    safety = configuration.safety.model_copy(update={"dry_run": True})
    return configuration.model_copy(update={"safety": safety})


async def serve(
    configuration: "Configuration",
    *,
    connector: "Connector | None" = None,
    read: "Callable[[], Configuration] | None" = None,
    follow_log_level: bool = False,
    hang_up: HangUp = HangUp.AUTO,
) -> None:
    """Serve a bench until SIGINT or SIGTERM; the run in hand then comes to its end or is handed on, as configured.

    Args:
        configuration: everything.
        connector: makes the sessions to the instruments; None: through PyVISA.
        read: reads the configuration again for a reload; None: it stays as it is.
        follow_log_level: the configuration says how much is logged.
        hang_up: what SIGHUP means.
    """
    from daemon.bootstrap import application
    from daemon.service_pulse import ServicePulse
    from daemon.service_report import ServiceReport

    notifier = ServiceNotifier.from_environment()
    meaning = what_a_hang_up_means(hang_up, is_service=notifier.heard)
    running = application(configuration, connector=connector, read=read)
    if follow_log_level:
        running.in_force.follow(lambda changed: lambda: set_log_level(changed.log.level))
    report = ServiceReport(running)
    pulse = ServicePulse(notifier, status=report.status, stuck=report.stuck)
    asked = _Signals(running, pulse)
    asked.listen(meaning)

    def ready() -> None:
        instruments = running.health.check("instruments")
        greeting = _greeting(configuration.bench.name, instruments, dry_run=configuration.safety.dry_run)
        typer.echo(greeting, err=True)
        pulse.ready()

    async with pulse.beating():
        await running.run(stop=asked.stop, ready=ready, hurry=asked.hurry)
    logger.info("ended: instruments, database and broker are let go")


def _greeting(bench: str, instruments: "Finding", *, dry_run: bool) -> str:
    """Return what is said once a bench is served: that it takes runs, or why it does not."""
    if not instruments.ok:
        problem = instruments.text.splitlines()[0].rstrip(":")
        return f"bench {bench} is served, and takes no run until its instruments answer ({problem}); Ctrl-C stops"
    if dry_run:
        return f"bench {bench} is served as a dry run: every run is rejected; Ctrl-C stops"
    return f"bench {bench} is served; Ctrl-C stops"


class _Signals:
    """What signals ask of a daemon: to end, to end at once, or to read its configuration again."""

    def __init__(self, running: "Application", pulse: "ServicePulse") -> None:
        self.stop, self.hurry = asyncio.Event(), asyncio.Event()
        self._running = running
        self._pulse = pulse

    def listen(self, hang_up: HangUp) -> None:
        """Listen from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end)
        if hang_up is HangUp.END:
            loop.add_signal_handler(signal.SIGHUP, self._end)
        elif hang_up is HangUp.RELOAD:
            loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _end(self) -> None:
        if self.stop.is_set():
            logger.info("told to end again: the run in hand, if there is one, is not waited for")
            self.hurry.set()
            return
        logger.info("told to end: no further run is taken; a second signal ends the run in hand too")
        self._pulse.stopping(self._running.in_force.current.runs.finish_s + FAREWELL_S)
        self.stop.set()

    def _reload(self) -> None:
        if not self.stop.is_set():
            with self._pulse.reloading():
                self._running.in_force.reload()
