"""Output console: standard output for tables."""

import os

from rich.console import Console

PIPE_WIDTH = 200
"""Columns of a table in a pipe, which has no width of its own; `COLUMNS` goes before it."""


def output_console() -> Console:
    """Return the console that every verb prints its tables on."""
    console = Console()
    return console if console.is_terminal or "COLUMNS" in os.environ else Console(width=PIPE_WIDTH)
