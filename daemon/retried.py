"""Retried: a transaction that surely left no trace, done again until it is done or time is up."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from daemon.errors import StoreInterrupted

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")

PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""How long to wait before each further attempt: together what a server on a lab computer takes to start again."""
PATIENCE_S = 20.0
"""After this long no further attempt is begun: a host that answers nothing costs each attempt its whole time-out."""


def retried(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Have a method of exactly one transaction begin again where that transaction never happened."""

    @wraps(method)
    def attempts(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        begun_s = time.monotonic()
        for number, pause_s in enumerate(PAUSES_S):
            try:
                return method(self, *args, **kwargs)
            except StoreInterrupted as error:
                if time.monotonic() - begun_s > PATIENCE_S:
                    raise
                logger.log(logging.DEBUG if number else logging.WARNING, "%s; tried again", error)
            # Two that were in each other's way are not to meet again.
            time.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
        return method(self, *args, **kwargs)

    return attempts
