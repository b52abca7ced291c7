"""Moment: when a fault strikes a run, drawn so that each step of a run is struck often, however short it is."""

import asyncio
from dataclasses import dataclass

import numpy as np

from daemon.verify.faults.lab_watch import LabWatch
from runners.messages import RunPhase

PHASES = (RunPhase.ACCEPTED, RunPhase.ARMED, RunPhase.CAPTURED, RunPhase.ANALYSING, RunPhase.DONE)
SOON_S = 0.05
"""A fault that strikes at a phase does so within this time of it."""
AMONG_S = 1.0
"""One that strikes at any time does so within this time of the command: about as long as a run."""
BEFORE_S = 0.3
"""One that strikes between runs does so within this time before the command."""
PHASE_TIMEOUT_S = 3.0
"""A phase that has not come by then will not: the fault strikes all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a fault strikes."""

    phase: RunPhase | None
    """As soon as the run is in this phase; None: by the clock."""
    seconds: float
    """That long after the phase, or after the command; before the command where it is negative."""

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> "Moment":
        """Draw one: half of them at a phase, half by the clock."""
        if rng.integers(2):
            phase = PHASES[int(rng.integers(len(PHASES)))]
            return cls(phase=phase, seconds=float(rng.uniform(0.0, SOON_S)))
        return cls(phase=None, seconds=float(rng.uniform(-BEFORE_S, AMONG_S)))

    def __str__(self) -> str:
        if self.phase is not None:
            return f"{1e3 * self.seconds:.0f} ms after {self.phase.value}"
        return f"{abs(self.seconds):.2f} s {'before' if self.seconds < 0 else 'after'} the command"

    async def come(self, watch: LabWatch, run_id: str) -> None:
        """Wait for it; the command is given as this is called, or just after a moment before it."""
        if self.phase is not None:
            await _phase_of(watch, run_id, self.phase)
        await asyncio.sleep(max(0.0, self.seconds))


async def _phase_of(watch: LabWatch, run_id: str, phase: RunPhase) -> None:
    end_s = asyncio.get_running_loop().time() + PHASE_TIMEOUT_S
    heard = watch.heard(run_id)
    while phase not in heard.phases and heard.end is None:
        left_s = end_s - asyncio.get_running_loop().time()
        if left_s <= 0 or not await watch.next_word(left_s):
            return
