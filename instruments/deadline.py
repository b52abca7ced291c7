"""Deadline: how long a verb may take, checked before anything is sent."""

from instruments.errors import SettingRefused

LONGEST_S = 3600.0
"""Longest time that a verb may wait for its instrument: seven times the longest record."""


def check_deadline(deadline_s: float, *, instrument: str, operation: str) -> None:
    """Check a deadline; one that is not a number would never come.

    Raises:
        SettingRefused: it is no time from 0 to an hour.
    """
    if not 0 <= deadline_s <= LONGEST_S:
        text = f"deadline_s must be 0..{LONGEST_S:g} s, got {deadline_s!r}"
        raise SettingRefused(text, instrument=instrument, operation=operation)
