"""Counting bar: how many of how many are done, and how long the rest takes, on standard error."""

from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress


def counting_bar(*, rate_of_last_s: float = 30.0) -> "Progress":
    """Return a bar that counts; the time left is by the rate of the last seconds, as many as are given."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console, disable=not console.is_terminal, speed_estimate_period=rate_of_last_s,
    )  # fmt: skip
