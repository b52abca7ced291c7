"""Power responder: tells the lab what the board draws while no run is measured."""

import asyncio
import logging
import time
from collections.abc import Callable
from math import isfinite

from daemon.bench_keeper import BenchKeeper
from daemon.faults import fault_of
from runners.broker_link import Outgoing
from runners.messages import PowerReading, encode
from runners.topics import Topics

logger = logging.getLogger(__name__)

LONGEST_TEXT = 1000


class PowerResponder:
    """Reads the supply when asked, and never while a run needs it. Questions that come meanwhile share one answer."""

    def __init__(
        self,
        topics: Topics,
        bench: BenchKeeper,
        publish: Callable[[Outgoing], None],
        *,
        current_run: Callable[[], str | None],
    ) -> None:
        """Answer for one bench.

        Args:
            topics: the bench's.
            bench: its instruments.
            publish: takes the answers.
            current_run: the run that is measured just now; None: the bench is free.
        """
        self._topics = topics
        self._bench = bench
        self._publish = publish
        self._current_run = current_run
        self._asked = asyncio.Event()

    @property
    def subscription(self) -> str:
        """Questions for the power."""
        return self._topics.power_query

    def take(self, topic: str) -> bool:
        """Take a message where it is the question, whatever it holds; say whether it is."""
        if topic != self._topics.power_query:
            return False
        self._asked.set()
        return True

    async def run(self) -> None:
        """Answer until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            self._publish(Outgoing(topic=self._topics.power, payload=encode(await self._reading())))

    async def _reading(self) -> PowerReading:
        if (run_id := self._current_run()) is not None:
            return _absent("bench_busy", f"the bench is measuring run {run_id}")
        try:
            return await self._read()
        except Exception as error:
            # Nobody's question ends the daemon; what nobody foresaw is logged with its trace.
            fault = fault_of(error)
            logger.warning("power: %s: %s", fault.reason, fault.text)
            return _absent(fault.reason, fault.text)

    async def _read(self) -> PowerReading:
        reading = await self._bench.read_free_supply()
        if reading is None:
            return _absent("bench_not_ready", "the bench is not open, or is being brought back; a run opens it afresh")
        if not (isfinite(reading.voltage_v) and isfinite(reading.current_a)):
            text = f"power_supply: it reads {reading.voltage_v} V and {reading.current_a} A, which are no quantities"
            return _absent("bad_answer", text)
        # What the read-back's own offset makes of nothing is no power.
        return PowerReading(
            power_w=max(0.0, reading.voltage_v * reading.current_a),
            voltage_v=max(0.0, reading.voltage_v),
            current_a=max(0.0, reading.current_a),
            at_utc_ns=time.time_ns(),
        )


def _absent(reason: str, text: str) -> PowerReading:
    return PowerReading(reason=reason, text=text[:LONGEST_TEXT], at_utc_ns=time.time_ns())
