"""Supply alarm: why no run is taken until a person has said that the cause was found; a restart does not clear it."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from daemon.configuration import Configuration
from daemon.durable_file import remove_durably, write_durably

logger = logging.getLogger(__name__)

MOST_ALARMS = 20
"""So many alarms are kept; the first tell more than those that follow from them, so later ones are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """One alarm."""

    kind: str
    """Which policy raised it, such as `over_voltage`."""
    text: str
    """What was seen, and what was done."""
    at_utc_ns: int
    """When, in nanoseconds of UTC."""
    run_id: str | None = None
    """The run in hand; None between runs."""


class AlarmFile:
    """The alarms of one bench, in a file of its storage directory."""

    def __init__(self, configuration: Configuration) -> None:
        self.path: Path = configuration.storage.directory / f"{configuration.bench.name}.alarms.json"
        """The file; it is there while an alarm stands."""
        self._unwritten: list[Alarm] = []

    def add(self, alarm: Alarm) -> None:
        """Raise an alarm; where the disk does not take it, it stands in memory, and is written as soon as it can be."""
        self._unwritten.append(alarm)
        self._write()

    def standing(self) -> tuple[Alarm, ...]:
        """Return the alarms that nobody has acknowledged, the first first. A file that cannot be read is one too."""
        self._write()
        return (*self._read(), *self._unwritten)[:MOST_ALARMS]

    def acknowledge(self, seen: Sequence[Alarm]) -> bool:
        """Clear the alarms that somebody has seen; return whether they were all that there are.

        Raises:
            OSError: the file cannot be removed.
        """
        if list(self._read()) != list(seen):
            return False
        remove_durably(self.path)
        return True

    def _read(self) -> list[Alarm]:
        try:
            return [Alarm(**one) for one in json.loads(self.path.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            return [Alarm(kind="unreadable", text=f"the alarms' file {self.path} cannot be read: {error}", at_utc_ns=0)]

    def _write(self) -> None:
        if not self._unwritten:
            return
        alarms = [*self._read(), *self._unwritten][:MOST_ALARMS]
        try:
            write_durably(self.path, json.dumps([asdict(alarm) for alarm in alarms], indent=2) + "\n")
        except OSError as error:
            logger.error("%s: %s; the alarm stands in memory until it can be written", self.path, error.strerror)
            return
        self._unwritten.clear()
