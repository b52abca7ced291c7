"""Command desk: takes the lab's commands, refuses what cannot be done, and keeps the one that is next."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from runners.broker_link import Outgoing
from runners.errors import MessageError
from runners.messages import BoardCommand, CampaignCommand, RunAbort, decode, encode
from runners.refused_command import kind_of, run_id_of
from runners.topics import Topics

logger = logging.getLogger(__name__)

_REMEMBERED_RUNS = 256
_LONGEST_TEXT = 1000


class CommandDesk:
    """One command at a time: a board measures one run, and a queue would hide from the lab that it waits."""

    def __init__(self, board: str, topics: Topics, publish: Callable[[Outgoing], None]) -> None:
        self._board = board
        self._topics = topics
        self._publish = publish
        self._next: asyncio.Queue[BoardCommand | CampaignCommand] = asyncio.Queue(maxsize=1)
        self._taken: deque[str] = deque(maxlen=_REMEMBERED_RUNS)
        self.last_refusal: str | None = None
        """Why the last refused command was refused, in words; None: none was."""

    async def next(self) -> BoardCommand | CampaignCommand:
        """Wait for a command."""
        return await self._next.get()

    def take(self, topic: str, payload: bytes, *, busy_run: str | None, busy_campaign: str | None = None) -> bool:
        """Take a command, or refuse it; return whether there is a new refusal to announce."""
        if kind_of(payload) == "campaign":
            return self._take_campaign(topic, payload, busy=busy_run or busy_campaign)
        try:
            order = decode(BoardCommand, payload, topic=topic)
        except MessageError as error:
            run_id = run_id_of(payload)
            # An abort would end a run that goes on under this name; then only the status tells of the refusal.
            known = run_id in self._taken or run_id == busy_run
            self.refuse(None if known else run_id, error.reason, str(error))
            return True
        if order.run_id in self._taken or order.run_id == busy_run:
            # MQTT delivers at least once; an abort for the repetition would end the run itself.
            logger.info("run %s was commanded before; the repetition is ignored", order.run_id)
            return False
        if busy_run is not None or busy_campaign is not None or self._next.full():
            what = busy_run or (f"campaign {busy_campaign}" if busy_campaign else "about to begin")
            self.refuse(order.run_id, "busy", f"board {self._board} has a run to perform: {what}")
            return True
        self._taken.append(order.run_id)
        self._next.put_nowait(order)
        return False

    def _take_campaign(self, topic: str, payload: bytes, *, busy: str | None) -> bool:
        try:
            order = decode(CampaignCommand, payload, topic=topic)
        except MessageError as error:
            self.refuse(None, error.reason, str(error))
            return True
        if busy is not None or self._next.full():
            self.refuse(None, "busy", f"board {self._board} has something to perform: {busy or 'about to begin'}")
            return True
        self._next.put_nowait(order)
        return False

    def refuse(self, run_id: str | None, reason: str, text: str) -> None:
        """Say no where the lab looks: on the run's own topic, where it has one, and in the board's status."""
        logger.warning("refused run %s: %s", run_id, text)
        self.last_refusal = text[:_LONGEST_TEXT]
        if run_id is not None:
            abort = RunAbort(reason=reason, text=self.last_refusal)
            self._publish(Outgoing(topic=self._topics.abort(self._board, run_id), payload=encode(abort)))

    def forget(self, run_id: str) -> None:
        """Take this run's command again when it is repeated: it has not been performed after all."""
        if run_id in self._taken:
            self._taken.remove(run_id)
