"""Strike: one fault let loose on a run in hand, and what became of that run and of the next."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daemon.errors import VerificationFailed
from daemon.verify.fault_stage import BATCH_SIZE, FaultStage
from instruments.recovery import Recovery, RecoveryStep
from instruments.simulated.faults import FaultKind, Role
from metrology.quality import Verdict
from runners.messages import RunPhase
from runners.run_outcome import RunOutcome

WITHIN = 0.005
"""A valid result lies this close to the world's energy, relative: the stage's instruments are exact, what is left is
noise and quantisation."""
MOST_DRAWS = 20
"""A fault that found no run to strike, because its moment did not come any more, is let loose on another one."""
AMONG_S = 0.5
"""Faults are let loose at a random moment of this long after the request, in real seconds: about as long as a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assault:
    """A fault as the verification lets it loose."""

    kind: FaultKind
    """What goes wrong."""
    role: Role | None = None
    """Whose fault it is, where it can be either's."""

    @property
    def name(self) -> str:
        """What it is called in tables."""
        return self.kind.value if self.role is None else f"{self.kind.value} ({self.role.value})"


ASSAULTS: tuple[Assault, ...] = tuple(
    Assault(kind=kind, role=role)
    for kind in FaultKind
    if kind is not FaultKind.HEAL
    for role in (
        tuple(Role)
        if kind in (FaultKind.SWALLOW_NEXT_ANSWER, FaultKind.QUEUE_ERROR, FaultKind.WRONG_IDENTITY)
        else (None,)
    )
)
"""Every fault there is, for every instrument that can have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """What a fault did."""

    assault: Assault
    """The fault."""
    ended: str
    """How the run in hand ended: its verdict, or the reason why it has none."""
    wrong: bool
    """Whether a result of either run was called valid and was not."""
    next_ended: str
    """How the next run ended."""
    step: str
    """The most drastic step that an instrument needed to come back; `none` where no session had suffered."""
    recovery_s: float | None
    """How long that took, in seconds; None where there was nothing to recover."""

    @property
    def next_valid(self) -> bool:
        """Whether the next run was measured."""
        return self.next_ended == Verdict.VALID.value


async def strike(stage: FaultStage, assault: Assault, rng: np.random.Generator) -> Strike:
    """Let a fault loose at a random moment of a run, then have another run measured without it.

    Raises:
        VerificationFailed: the daemon is not up any more, or the fault struck none of many runs.
    """
    for _ in range(MOST_DRAWS):
        struck = await _try(stage, assault, moment_s=float(rng.uniform(0.0, AMONG_S)))
        if struck is not None:
            return struck
    raise VerificationFailed(f"{assault.name}: struck none of {MOST_DRAWS} runs")


async def _try(stage: FaultStage, assault: Assault, *, moment_s: float) -> Strike | None:
    stage.take_recoveries()
    before = stage.truth.faults()["struck"]
    acquired = stage.truth.acquisition_count()
    running = asyncio.create_task(stage.run(), name="run")
    await asyncio.wait([running], timeout=moment_s)
    if running.done():
        running.result()
        return None
    stage.truth.fault(assault.kind.value, assault.role)
    outcome = await running
    hit = stage.truth.faults()["struck"] > before
    stage.truth.fault(FaultKind.HEAL)
    if not hit:
        return None
    wrong = is_wrong(stage, outcome, since=acquired)
    acquired = stage.truth.acquisition_count()
    following = await stage.run()
    recoveries = stage.take_recoveries()
    return Strike(
        assault=assault,
        ended=how_it_ended(outcome),
        wrong=wrong or is_wrong(stage, following, since=acquired),
        next_ended=how_it_ended(following),
        step=hardest_step(recoveries),
        # instruments are brought back side by side
        recovery_s=max((recovery.duration_s for recovery in recoveries), default=None),
    )


def hardest_step(recoveries: Sequence[Recovery]) -> str:
    """Return the most drastic step of several; `next opening` where one came back only when it was opened for a run."""
    if any(recovery.failure is not None for recovery in recoveries):
        return "next opening"
    steps = [recovery.step for recovery in recoveries if recovery.step is not None]
    return max(steps, key=list(RecoveryStep).index).value if steps else "none"


def how_it_ended(outcome: RunOutcome) -> str:
    """Return a run's verdict with its reasons, or the reason why it has none."""
    if outcome.state is not RunPhase.DONE or outcome.result is None:
        return f"{outcome.state.value}: {outcome.reason}"
    codes = ", ".join(reason.code for reason in outcome.result.reasons)
    return f"{outcome.result.quality}: {codes}" if codes else str(outcome.result.quality)


def is_wrong(stage: FaultStage, outcome: RunOutcome, *, since: int) -> bool:
    """Return whether a result is called valid and is not.

    The supply did not hold its voltage then, or the world spent another energy, or none at all.
    """
    result = outcome.result
    if result is None or result.quality != Verdict.VALID.value:
        return False
    gross = result.gross_energy_per_image_j
    pulsed = [one for one in stage.truth.acquisitions(since=since) if one["pulses"]]
    if gross is None or not pulsed:
        return True
    if not pulsed[-1]["held_voltage"]:
        return True
    true_j = pulsed[-1]["gross_energy_j"] / (BATCH_SIZE * len(pulsed[-1]["pulses"]))
    return bool(abs(gross.value - true_j) > min(WITHIN * true_j, gross.expanded_uncertainty_95))
