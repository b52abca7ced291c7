"""Run context: which run the work in hand is about, so that every line of the log can name it.

A context variable, because the work of one run goes through tasks and threads while other work goes on beside it. Tasks
inherit it, and so does `asyncio.to_thread`; a thread pool of one's own has to be handed it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_run: ContextVar[str | None] = ContextVar("joulebench_run", default=None)


def current_run() -> str | None:
    """Return the run that the work in hand is about; None where it is about none."""
    return _run.get()


@contextmanager
def about_run(run_id: str | None) -> Iterator[None]:
    """Let what is done inside, and what is begun inside, be about a run; None: about none."""
    token = _run.set(run_id)
    try:
        yield
    finally:
        _run.reset(token)
