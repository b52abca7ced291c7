"""Exit mark: tells a daemon that the one before it never left its bench, for it was killed or lost its power."""

import json
import logging
import os
import time
from pathlib import Path

from daemon.configuration import Configuration
from daemon.durable_file import remove_durably, write_durably

logger = logging.getLogger(__name__)


class ExitMark:
    """A file that is there while a daemon has its bench in hand. Use it with the bench's lock held."""

    def __init__(self, configuration: Configuration) -> None:
        self.path: Path = configuration.storage.directory / f"{configuration.bench.name}.in-hand.json"
        """The file."""

    def begin(self) -> str | None:
        """Set the mark; return what is known of a daemon that did not take its own away, None where it did."""
        before = self._found()
        try:
            told = {"pid": os.getpid(), "since_utc_ns": time.time_ns()}
            write_durably(self.path, json.dumps(told) + "\n")
        except OSError as error:
            text = "%s cannot be written (%s): should this daemon be killed, the next will not know"
            logger.error(text, self.path, error.strerror)
        return before

    def end(self) -> None:
        """Take the mark away: the bench has been left as configured."""
        try:
            remove_durably(self.path)
        except OSError as error:
            logger.error("%s cannot be removed (%s): the next start takes this end for a crash", self.path, error)

    def _found(self) -> str | None:
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return f"process {told['pid']}"
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            return "a process that is not known"
