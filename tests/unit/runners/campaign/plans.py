"""Plans of the tests, and an executor that ends runs as it is told."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from runners.campaign.cell import Cell
from runners.campaign.ending import Ending
from runners.campaign.executor import IdlePower, Tell
from runners.campaign.plan import CampaignPlan
from runners.messages import BoardCommand, RunPhase
from tests.unit.runners.fake_daemon import example_result

FAST = {"first_delay_s": 0, "attempts": 3}


def plan_of(**changes: Any) -> CampaignPlan:
    """Return a plan of two networks at two batch sizes that waits for nothing, with changes."""
    sections: dict[str, Any] = {
        "name": "test",
        "cool_down": {"enabled": False},
        "retries": FAST,
        "sweep": [{"networks": ["alexnet", "resnet18"], "batch_sizes": [1, 2]}],
    }
    return CampaignPlan.model_validate(sections | changes)


def done(run_id: str, quality: str = "valid") -> Ending:
    result = example_result(run_id).model_copy(update={"quality": quality})
    return Ending(state=RunPhase.DONE, result=result)


def failed(reason: str, state: RunPhase = RunPhase.FAILED) -> Ending:
    return Ending(state=state, reason=reason, text=f"because of {reason}")


class FakeExecutor:
    """Ends each run as `ends` says, and remembers what it was asked for."""

    def __init__(self, ends: Callable[[BoardCommand], Ending] = lambda command: done(command.run_id)) -> None:
        self.performed: list[tuple[BoardCommand, bool]] = []
        self.powers_w: list[float | None] = []
        self.power_reason = "instrument_timeout"
        self.problem: Exception | None = None
        self.board = "jetson"
        self._ends = ends

    @property
    def place(self) -> dict[str, str]:
        return {"bench": "lab", "board": self.board}

    async def check(self, cells: Sequence[Cell]) -> None:
        if self.problem is not None:
            raise self.problem

    async def perform(self, command: BoardCommand, *, commanded: bool, tell: Tell) -> Ending:
        self.performed.append((command, commanded))
        await asyncio.sleep(0)
        return self._ends(command)

    async def idle_power(self) -> IdlePower:
        power_w = self.powers_w.pop(0) if len(self.powers_w) > 1 else self.powers_w[0]
        return IdlePower(power_w=power_w, reason=None if power_w else self.power_reason)

    @property
    def run_ids(self) -> list[str]:
        return [command.run_id for command, _ in self.performed]
