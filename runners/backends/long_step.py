"""Long step: says in the log that something which takes its time has begun, still goes on, and is done."""

import logging
import threading
import time
from types import TracebackType

logger = logging.getLogger(__name__)

REPEAT_S = 10.0
"""The log hears of a step that goes on this often, in seconds."""


class LongStep:
    """Context manager around work that may take from seconds to minutes, in the thread that enters it."""

    def __init__(self, what: str, *, repeat_s: float = REPEAT_S) -> None:
        """Take what is done, as in `compiling resnet18`."""
        self._what = what
        self._repeat_s = repeat_s
        self._over = threading.Event()
        self._started_s = 0.0
        self._teller = threading.Thread(target=self._tell, name=f"long-step-{what}", daemon=True)

    def __enter__(self) -> "LongStep":
        logger.info("%s; this may take minutes", self._what)
        self._started_s = time.monotonic()
        self._teller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._teller.join()
        logger.info("%s: %s after %.1f s", self._what, "given up" if error else "done", self._elapsed_s())

    def _tell(self) -> None:
        while not self._over.wait(self._repeat_s):
            logger.info("%s: still at it after %.0f s", self._what, self._elapsed_s())

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s
