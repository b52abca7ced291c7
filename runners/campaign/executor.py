"""Executor: what a campaign has its runs performed by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from runners.campaign.cell import Cell
from runners.campaign.ending import Ending
from runners.messages import BoardCommand

Tell = Callable[[str], None]
"""Is told in a few words what is being done."""


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

    async def idle_power_w(self) -> float | None:
        """Return what the board draws while nothing runs, in watts; None where that cannot be told."""
        ...
