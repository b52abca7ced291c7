"""Section `watchdog`: when the daemon counts as stuck."""

from daemon.sections.section import Positive, Section


class WatchdogSection(Section):
    """When a service manager's watchdog is no longer told that all is well, so that it starts the daemon again."""

    work_limit_s: Positive = 300.0
    """Longest time that one piece of work on the disk or the database, or one analysis, may take, in seconds."""
