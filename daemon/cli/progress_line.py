"""Progress line: what a verb is doing just now, on standard error."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

Tell = Callable[[str], None]
"""Is told what is being done, before it is."""


@contextmanager
def progress_line() -> Iterator[Tell]:
    """Yield what shows one line that changes; where standard error is no terminal, a line each."""
    console = Console(stderr=True, soft_wrap=True)
    if not console.is_terminal:
        yield lambda text: console.print(text, markup=False, highlight=False)
        return
    with console.status("") as status:
        yield lambda text: status.update(escape(text))
