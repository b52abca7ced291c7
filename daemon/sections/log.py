"""Section `log`: how much the daemon says of what it does."""

from daemon.log_level import LogLevel
from daemon.sections.section import Section


class LogSection(Section):
    """The daemon's log."""

    level: LogLevel = LogLevel.INFO
    """How much is logged: `debug`, `info`, `warning` or `error`; the option `--log-level` goes before it."""
