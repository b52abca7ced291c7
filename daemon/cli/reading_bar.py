"""Reading bar: how much of a file has been read, and how long the rest takes, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

ReadTell = Callable[[float], None]


@contextmanager
def reading_bar(name: str, size_bytes: int) -> Iterator[ReadTell]:
    """Yield what is told which part of a file has been read, 0 to 1; nothing is shown where nobody looks at it."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _part: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(30),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(f"reading {escape(name)}", total=max(1, size_bytes))
        yield lambda part: bar.update(task, completed=min(1.0, part) * size_bytes)
