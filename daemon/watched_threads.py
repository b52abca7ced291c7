"""Watched threads: the daemon's pool for blocking work, which knows how long its oldest piece of work runs."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class WatchedThreads(ThreadPoolExecutor):
    """A pool of few threads: each keeps the memory of the largest record that it ever held."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads, thread_name_prefix="daemon")
        self._begun_s: dict[object, float] = {}

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a call made on one of the threads."""

        def work() -> T:
            key = object()
            self._begun_s[key] = time.monotonic()
            try:
                return fn(*args, **kwargs)
            finally:
                del self._begun_s[key]

        return super().submit(work)

    @property
    def longest_s(self) -> float:
        """How long the oldest call that has not returned has been running, in seconds; 0 where none runs."""
        begun_s = tuple(self._begun_s.values())  # a copy in one step: the threads go on meanwhile
        return time.monotonic() - min(begun_s) if begun_s else 0.0
