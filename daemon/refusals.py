"""Refusals: how many of the messages that come to nothing are kept, so that nobody fills the database with them."""

import logging
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

KEPT_REFUSALS = 1000
"""Refusals that are written into the database within an hour; those beyond it are answered, logged, and not kept."""
WINDOW_S = 3600.0


class RefusalAllowance:
    """Counts what was refused within the hour: a laboratory at work refuses a dozen, a mad board thousands."""

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._window_s = monotonic_s()
        self._taken = 0

    def take(self) -> bool:
        """Say whether one more is to be kept, and count it; the first that is not is told in the log."""
        now_s = self._monotonic_s()
        if now_s - self._window_s >= WINDOW_S:
            self._window_s, self._taken = now_s, 0
        self._taken += 1
        if self._taken == KEPT_REFUSALS + 1:
            logger.error("%d refusals within an hour: the rest of it keeps none in the database", KEPT_REFUSALS)
        return self._taken <= KEPT_REFUSALS
