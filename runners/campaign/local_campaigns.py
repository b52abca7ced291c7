"""Local campaigns: a board that performs campaigns by itself, with their journals on its own disk."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runners.campaign.cell import Cell
from runners.campaign.driver import CampaignDriver
from runners.campaign.ending import Ending
from runners.campaign.executor import NO_SUPPLY, IdlePower, Tell
from runners.campaign.fitting import lacking
from runners.campaign.journal import Journal, read_journal
from runners.campaign.plan import plan_of
from runners.errors import BrokerUnavailable, CampaignFileError, DaemonSilent, JournalError
from runners.messages import BoardCommand
from runners.run_outcome import RunOutcome

logger = logging.getLogger(__name__)

SUFFIX = ".campaign.jsonl"


class LocalExecutor:
    """Performs runs on this board, as its agent does at a command.

    That a run is performed once is the request's doing: the daemon answers one that is repeated with what is stored.
    """

    def __init__(
        self,
        perform: Callable[[BoardCommand], Awaitable[RunOutcome]],
        *,
        until_free: Callable[[], Awaitable[None]],
        place: Mapping[str, str],
        networks: Sequence[str],
        precisions: Sequence[str],
        backends: Sequence[str],
    ) -> None:
        """Take what performs a run, what waits until broker and bench are there, where that is, and what can be run."""
        self._perform = perform
        self._until_free = until_free
        self._place = place
        self._networks = networks
        self._precisions = precisions
        self._backends = backends

    @property
    def place(self) -> Mapping[str, str]:
        """The bench and this board."""
        return self._place

    async def check(self, cells: Sequence[Cell]) -> None:
        """Hold the plan against what this board can run."""
        problems = lacking(cells, networks=self._networks, precisions=self._precisions, backends=self._backends)
        if problems:
            raise CampaignFileError("this board", problems)

    async def perform(self, command: BoardCommand, *, commanded: bool, tell: Tell) -> Ending:
        """Perform a run, however long broker or daemon are away: the board has nothing else to do."""
        del commanded
        while True:
            tell("waiting for the bench")
            await self._until_free()
            try:
                outcome = await self._perform(command)
            except BrokerUnavailable as error:
                logger.warning("run %s: %s", command.run_id, error)
                continue
            if isinstance(outcome.cause, DaemonSilent):
                # The daemon may have measured it and be away: the request, repeated, is answered with what is stored.
                logger.warning("run %s: %s", command.run_id, outcome.text)
                continue
            return Ending(state=outcome.state, reason=outcome.reason, text=outcome.text, result=outcome.result)

    async def idle_power(self) -> IdlePower:
        """Return none: the supply is the lab's, and a board has no word in the lab's topics."""
        return IdlePower(reason=NO_SUPPLY, text="a board by itself cannot ask what it draws")


class LocalCampaigns:
    """The campaigns of one board, each by its name, and what is left of them after a restart."""

    def __init__(self, folder: Path, executor: LocalExecutor) -> None:
        """Take the folder of the journals, and what performs runs."""
        self._folder = folder
        self._executor = executor

    async def perform(self, settings: Mapping[str, Any], *, again: bool) -> None:
        """Begin a campaign, or go on with it.

        Raises:
            CampaignFileError: it is none, or this board cannot run all of it.
            JournalError: one of this name was begun with another plan.
        """
        plan = plan_of(settings, source="the command")
        with Journal(self._folder / f"{plan.name}{SUFFIX}") as journal:
            progress = await CampaignDriver(plan, journal, self._executor, again=again).run()
        logger.info("campaign %s: %d of %d runs are done", plan.name, progress.count("done"), len(progress.runs))

    def unfinished(self) -> list[Mapping[str, Any]]:
        """Return the plan of each campaign that was begun and not brought to its end, the oldest first.

        A journal that cannot be read is logged and left as it is: the board serves all the same.
        """
        found: list[tuple[float, Mapping[str, Any]]] = []
        for path in sorted(self._folder.glob(f"*{SUFFIX}")):
            try:
                lines = read_journal(path)
                modified_s = path.stat().st_mtime
            except (JournalError, OSError) as error:
                logger.error("a campaign is not gone on with, its journal cannot be read: %s", error)
                continue
            if lines and lines[-1]["event"] != "finished":
                found.append((modified_s, lines[0]["settings"]))
        return [settings for _, settings in sorted(found, key=lambda one: one[0])]
