"""Log: configured once, here; to standard error or a file, so that standard output stays the verb's own."""

import logging
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, TextIO

import typer

from daemon.cli.command_line import MB, check_folder
from daemon.cli.log_lines import JournalLines, JsonLines, RunFilter, TextLines
from daemon.log_level import LogLevel

__all__ = [
    "LogDestination",
    "LogFileMbOption",
    "LogFileOption",
    "LogFilesOption",
    "LogFormat",
    "LogFormatOption",
    "LogLevel",
    "configure_log",
    "set_log_level",
]

JOURNAL_STREAM = "JOURNAL_STREAM"
"""Variable by which systemd names the stream that leads to its journal, as DEVICE:INODE (systemd.exec(5))."""

NOISY = ("pyvisa", "aiomqtt", "mqtt", "amqtt", "transitions", "asyncio", "alembic")
"""They repeat every message of the wire at INFO, the broker's loop its own noise, and Alembic each plugin it loads."""


class LogFormat(StrEnum):
    """How a line of the log looks."""

    TEXT = "text"
    JOURNAL = "journal"
    JSON = "json"


FORMATTERS = {LogFormat.TEXT: TextLines, LogFormat.JOURNAL: JournalLines, LogFormat.JSON: JsonLines}

LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option("--log-format", help="How lines look; left out: journal where systemd's journal reads, else text."),
]
LogFileOption = Annotated[
    Path | None,
    typer.Option("--log-file", metavar="FILE", dir_okay=False, help="Log to this file, not to standard error."),
]
LogFileMbOption = Annotated[
    int, typer.Option("--log-file-mb", min=1, metavar="MB", help="Size at which that file is put aside, in megabytes.")
]
LogFilesOption = Annotated[
    int, typer.Option("--log-files", min=1, metavar="N", help="How many that were put aside are kept.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogDestination:
    """Where the log goes, and how it looks."""

    format: LogFormat | None = None
    """How a line looks; None: as the journal takes it where that reads standard error, else as text."""
    file: Path | None = None
    """File to log to; None: standard error."""
    file_mb: int = 20
    """Size at which the file is put aside, in megabytes."""
    files: int = 5
    """How many that were put aside are kept."""

    def handler(self) -> logging.Handler:
        """Return what writes there.

        Raises:
            OSError: the file cannot be opened.
        """
        if self.file is None:
            return logging.StreamHandler(sys.stderr)
        check_folder(self.file, option="--log-file")
        return RotatingFileHandler(
            self.file, maxBytes=self.file_mb * MB, backupCount=self.files, encoding="utf-8", errors="backslashreplace"
        )

    def formatter(self) -> logging.Formatter:
        """Return what makes lines of records."""
        wanted = self.format
        if wanted is None:
            journal = self.file is None and leads_to_journal(sys.stderr)
            wanted = LogFormat.JOURNAL if journal else LogFormat.TEXT
        return FORMATTERS[wanted]()


def configure_log(level: LogLevel, *, place: str | None = None, to: LogDestination | None = None) -> None:
    """Log with time, level, run and logger.

    Args:
        level: how much.
        place: the bench or board that speaks; None: the lines name none.
        to: where to; None: standard error.
    """
    to = to or LogDestination()
    handler = to.handler()
    handler.setFormatter(to.formatter())
    handler.addFilter(RunFilter(place))
    logging.basicConfig(handlers=[handler], force=True)
    set_log_level(level)


def set_log_level(level: LogLevel) -> None:
    """Change how much is logged, at once."""
    logging.getLogger().setLevel(level.value.upper())
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))


def leads_to_journal(stream: TextIO) -> bool:
    """Return whether systemd's journal reads what is written to a stream: it is the very one that systemd named."""
    named = os.environ.get(JOURNAL_STREAM, "")
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return named == f"{status.st_dev}:{status.st_ino}"
