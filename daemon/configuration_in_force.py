"""Configuration in force: what the daemon goes by now, and what of a changed file it can go by without a restart.

A new configuration is taken whole or not at all: everything that follows it first prepares, which may fail, and only
when all have prepared does each go over to it, which may not. A run keeps what it began with.
"""

import logging
from collections.abc import Callable, Iterator

from pydantic import ValidationError

from daemon.configuration import Configuration
from daemon.errors import DaemonError
from daemon.sections.section import Section
from instruments.errors import SettingRefused

logger = logging.getLogger(__name__)

Prepare = Callable[[Configuration], Callable[[], None]]
"""Gets ready for a configuration, or raises; what it returns goes over to it, and does not raise."""

RELOADED_SECTIONS = frozenset({"runs", "quality", "leads", "log", "watchdog"})
"""Sections whose keys are all taken over from a changed file."""
RELOADED_KEYS = frozenset(
    {
        "storage.min_free_bytes",
        "calibration.missing",
        *(f"oscilloscope.{one}" for one in ("gain_limit", "offset_limit_div", "offset_limit_v", "clock_limit")),
        *(f"oscilloscope.{one}" for one in ("offset_limit_fraction", "marker_delay_limit_s")),
        *(f"power_supply.{one}" for one in ("readback_gain_limit", "readback_limit_v")),
        *(f"power_supply.{one}" for one in ("current_readback_gain_limit", "current_readback_limit_a")),
    }
)
"""Keys of other sections that are: what only the computation of a result asks for. All others need a restart."""


class ConfigurationInForce:
    """The configuration that the daemon goes by; on the event loop's thread only."""

    def __init__(self, configuration: Configuration, *, read: Callable[[], Configuration] | None = None) -> None:
        """Begin with a configuration.

        Args:
            configuration: the one to begin with.
            read: reads it again from where it came; None: it came from nowhere, and stays.
        """
        self._current = configuration
        self._read = read
        self._followers: list[Prepare] = []

    @property
    def current(self) -> Configuration:
        """The configuration in force; ask for it anew each time, for it may be exchanged."""
        return self._current

    def follow(self, prepare: Prepare) -> None:
        """Have something go over to each new configuration."""
        self._followers.append(prepare)

    def reload(self) -> bool:
        """Read the configuration again and go over to what may change meanwhile; the log says what.

        Returns:
            Whether the file was good; if it was not, nothing has changed.
        """
        if self._read is None:
            logger.warning("the configuration did not come from a file: nothing to read again")
            return False
        try:
            found = self._read()
            self._go_over(found)
        except (DaemonError, SettingRefused, ValidationError) as error:
            logger.error("configuration not taken over, all stays as it was: %s", error)
            return False
        return True

    def _go_over(self, found: Configuration) -> None:
        """Take over what may be.

        Raises:
            DaemonError: something that follows the configuration cannot follow this one.
            SettingRefused: likewise.
            ValidationError: what may be taken over does not fit to what stays.
        """
        before = self._current
        changed = tuple(_changed(before, found))
        taken = [key for key in changed if is_reloaded(key)]
        after = _merged(before, found, taken)
        steps = [prepare(after) for prepare in self._followers]
        self._current = after
        for step in steps:
            step()
        for key in taken:
            logger.info("%s: %s -> %s, from the next run on", key, _value(before, key), _value(after, key))
        if left := [key for key in changed if key not in taken]:
            logger.warning("changed, but taken over only by a restart: %s", ", ".join(left))
        if not changed:
            logger.info("the configuration is read again: nothing has changed")


def is_reloaded(key: str) -> bool:
    """Return whether a key, such as `runs.max_captures`, is taken over without a restart."""
    return key.partition(".")[0] in RELOADED_SECTIONS or key in RELOADED_KEYS


def keys_of(configuration: Configuration) -> Iterator[str]:
    """Yield every key of a configuration, as `section.key`."""
    for name, section in configuration:
        assert isinstance(section, Section)
        for key in type(section).model_fields:
            yield f"{name}.{key}"


def _changed(before: Configuration, found: Configuration) -> Iterator[str]:
    return (key for key in keys_of(before) if _value(before, key) != _value(found, key))


def _value(configuration: Configuration, key: str) -> object:
    section, _, name = key.partition(".")
    return getattr(getattr(configuration, section), name)


def _merged(before: Configuration, found: Configuration, keys: list[str]) -> Configuration:
    """Return a configuration with these keys of another; checked as a whole, for it stands in no file."""
    sections, wanted = before.model_dump(), found.model_dump()
    for key in keys:
        section, _, name = key.partition(".")
        sections[section][name] = wanted[section][name]
    return type(before)(**sections)
