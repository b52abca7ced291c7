"""Log lines: one record as the lines of a text, of the journal, or as one JSON object.

Every line of a record begins with the same head, a trace's lines too: whoever looks for a run finds all of it, and no
text that came over the network can pass for a line of its own.
"""

import json
import logging
from datetime import UTC, datetime

from runners.run_context import current_run

NO_RUN = "-"
"""Stands for the run where a line is about none."""
SYSLOG_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Lowest level of each priority (RFC 5424, table 2); what lies below is 7, debug."""

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != ord("\t")}
"""What would move a terminal's cursor, or colour its text, is shown instead of done."""


class RunFilter(logging.Filter):
    """Writes into every record which run it is about, and which bench or board speaks."""

    def __init__(self, place: str | None) -> None:
        super().__init__()
        self._place = place

    def filter(self, record: logging.LogRecord) -> bool:
        """Add `run_id` and `place`; lets every record through."""
        record.run_id = current_run()
        record.place = self._place
        return True


class TextLines(logging.Formatter):
    """Time, level, bench and run, logger, text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's lines."""
        return "\n".join(f"{self._head(record)}{line}" for line in _lines_of(self, record))

    def _head(self, record: logging.LogRecord) -> str:
        return f"{utc_text(record.created)} {record.levelname:<7} {_about(record)} {record.name}: "


class JournalLines(TextLines):
    """Priority, bench and run, logger, text: the journal itself adds the time."""

    def _head(self, record: logging.LogRecord) -> str:
        return f"<{priority_of(record.levelno)}>{_about(record)} {record.name}: "


class JsonLines(logging.Formatter):
    """One JSON object a record: `time`, `level`, `place`, `run_id`, `logger`, `thread`, `text`, and `trace` if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record's line."""
        document = {
            "time": utc_text(record.created),
            "level": record.levelname.lower(),
            "place": getattr(record, "place", None),
            "run_id": getattr(record, "run_id", None),
            "logger": record.name,
            "thread": record.threadName,
            "text": record.getMessage(),
        }
        if record.exc_info:
            document["trace"] = self.formatException(record.exc_info)
        return json.dumps(document)


def utc_text(unix_s: float) -> str:
    """Return an instant in UTC as ISO 8601 has it, to the millisecond."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def priority_of(level: int) -> int:
    """Return syslog's priority of a level."""
    return next((priority for least, priority in SYSLOG_PRIORITIES if level >= least), 7)


def _about(record: logging.LogRecord) -> str:
    run, place = getattr(record, "run_id", None) or NO_RUN, getattr(record, "place", None)
    return f"[{run}]" if place is None else f"[{place} {run}]"


def _lines_of(formatter: logging.Formatter, record: logging.LogRecord) -> list[str]:
    text = record.getMessage()
    if record.exc_info:
        text += "\n" + formatter.formatException(record.exc_info)
    if record.stack_info:
        text += "\n" + formatter.formatStack(record.stack_info)
    return [line.translate(_CONTROLS) for line in text.split("\n")]
