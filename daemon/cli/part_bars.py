"""Part bars: a bar for each part of a work that is counted, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from daemon.cli.counting_bar import counting_bar

if TYPE_CHECKING:
    from daemon.doctor.scene import Watch


@contextmanager
def part_bars() -> Iterator["Watch"]:
    """Yield what is told how far each part of a work is."""
    with counting_bar() as progress:
        tasks: dict[str, Any] = {}

        def watch(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = progress.add_task(part, total=total)
            progress.update(tasks[part], completed=done, total=total)

        yield watch
