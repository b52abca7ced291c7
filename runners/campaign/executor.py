"""Executor: what a campaign has its runs performed by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from runners.campaign.cell import Cell
from runners.campaign.ending import Ending
from runners.messages import BoardCommand

Tell = Callable[[str], None]
"""Is told in a few words what is being done."""

NOT_READY = "bench_not_ready"
"""Reason: the instruments are not open; the next run opens them."""
NO_SUPPLY = "no_supply"
"""Reason: whoever performs the runs can never read the supply."""
WAITING_IS_VAIN = frozenset({NOT_READY, NO_SUPPLY})
"""With these no run is kept waiting for a reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdlePower:
    """What a board draws while nothing runs, or why that cannot be told."""

    power_w: float | None = None
    """Power, in watts; None: not read."""
    reason: str | None = None
    """Reason code; None where it was read."""
    text: str | None = None
    """The reason in words."""


class Executor(Protocol):
    """Performs one run at a time. Implementations: `BoardExecutor` over the broker, `LocalExecutor` on the board."""

    @property
    def place(self) -> Mapping[str, str]:
        """Where runs are performed: `bench` and `board`. A campaign stays where it was begun."""
        ...

    async def check(self, cells: Sequence[Cell]) -> None:
        """Raise CampaignFileError, naming all of them, where there are cells that the board cannot run."""
        ...

    async def perform(self, command: BoardCommand, *, commanded: bool, tell: Tell) -> Ending:
        """Have a run performed, and return how it ended.

        Args:
            command: the run.
            commanded: it was commanded before, by a campaign that was interrupted: find out what became of it, and have
                it performed only where nobody knows of it.
            tell: told where it stands.

        Raises:
            CampaignStalled: board, daemon or broker did not come back.
        """
        ...

    async def idle_power(self) -> IdlePower:
        """Return what the board draws while nothing runs, or why that cannot be told."""
        ...
