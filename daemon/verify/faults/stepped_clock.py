"""Stepped clock: a wall clock of one process that another one can step, forwards or back, at any moment.

The step lies in a file that both have mapped. A process that runs by it has `time.time_ns` and `time.time` replaced:
nothing less would step the clock of every program on this computer.
"""

import mmap
import time
from pathlib import Path

_BYTES = 8


class SteppedClock:
    """The step of one clock, in a file."""

    def __init__(self, path: Path) -> None:
        """Map the file; it is made, with no step, where it is missing."""
        if not path.exists():
            path.write_bytes(bytes(_BYTES))
        with path.open("r+b") as file:
            self._step = mmap.mmap(file.fileno(), _BYTES)

    def close(self) -> None:
        """Let go of the file."""
        self._step.close()

    @property
    def step_ns(self) -> int:
        """By how much the clock is wrong, in nanoseconds."""
        return int.from_bytes(self._step[:_BYTES], "little", signed=True)

    def step(self, step_ns: int) -> None:
        """Have the clock be wrong by this much from now on."""
        self._step[:_BYTES] = step_ns.to_bytes(_BYTES, "little", signed=True)

    def install(self) -> None:
        """Let this process live by this clock, until it ends."""
        true_ns = time.time_ns

        def time_ns() -> int:
            return true_ns() + self.step_ns

        def seconds() -> float:
            return time_ns() / 1e9

        time.time_ns, time.time = time_ns, seconds
