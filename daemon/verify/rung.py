"""Rung: how a virtual bench finds the windows of its run."""

from enum import StrEnum


class Rung(StrEnum):
    """Rung of the synchronisation ladder."""

    MARKER = "marker"
    """By the board's line in the same record."""
    CLOCK = "clock"
    """By the board's own batch times and the clock exchange; the marker's wire is not there."""
