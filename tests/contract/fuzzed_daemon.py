"""A daemon for the fuzz: everything of it is real but the broker's connection, so that it hears a message at once."""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from daemon.application import Application
from daemon.bootstrap import application
from instruments.simulated.bench import SimulatedBenchThread
from runners.broker_link import Outgoing
from runners.incoming import Handled
from runners.messages import (
    ClockPong,
    DaemonStatus,
    Message,
    PowerReading,
    RunAnswer,
    RunPhase,
    RunResult,
    RunState,
    decode,
)
from runners.topics import TopicKind, Topics
from tests.integration.bench_stage import BENCH, configuration_of

WAIT_S = 60.0
SAID: dict[TopicKind, type[Message]] = {
    TopicKind.STATUS: DaemonStatus,
    TopicKind.STATE: RunState,
    TopicKind.RESULT: RunResult,
    TopicKind.ANSWER: RunAnswer,
    TopicKind.POWER: PowerReading,
    TopicKind.PONG: ClockPong,
}
"""What the daemon says, and may say alone."""
SHORT: dict[str, dict[str, Any]] = {
    "runs": {"trigger_timeout_s": 2.0, "finished_timeout_s": 0.5, "networks": ["alexnet"]},
    "oscilloscope": {"timeout_s": 5.0},
}
"""Times that a run waits for a board that will not come, long enough for one that does; the fuzz's own requests name
another network, so that the bench is asked by those alone that a test means."""


class FuzzLink:
    """In the place of `BrokerLink`: hands in what a test sends, and holds what the daemon says against the contract."""

    def __init__(
        self, _: Any, *, on_message: Callable[[str, bytes], Handled], on_connect: Callable[[], None], **__: Any
    ) -> None:
        self.hear = on_message
        self._on_connect = on_connect
        self.connected = asyncio.Event()
        self.last_problem = ""
        self.said: Counter[TopicKind] = Counter()
        self.reasons: Counter[str] = Counter()
        self.recent: deque[tuple[str, Message]] = deque(maxlen=2000)
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, message: Outgoing) -> None:
        if message.payload:
            self._check(message.topic, message.payload)
        message.on_settled(True)

    async def send_at_once(self, topic: str, payload: Callable[[], bytes]) -> bool:
        self._check(topic, payload())
        return True

    def subscribe(self, topic: str) -> None:
        pass

    def forget(self, topic: str) -> None:
        pass

    async def drain(self, _: float) -> bool:
        return True

    async def run(self) -> None:
        self.connected.set()
        self._on_connect()
        await asyncio.Event().wait()

    async def until(self, found: Callable[[str, Any], bool]) -> Any:
        """Return the next message that the daemon says and that is as wanted, among the last as well."""
        async with asyncio.timeout(WAIT_S), self._news:
            while True:
                for topic, message in self.recent:
                    if found(topic, message):
                        return message
                await self._news.wait()

    def _check(self, topic: str, payload: bytes) -> None:
        name = Topics.parse(topic)
        message = decode(SAID[name.kind], payload, topic=topic)
        self.said[name.kind] += 1
        if isinstance(message, RunState | RunAnswer) and message.reason is not None:
            self.reasons[message.reason] += 1
        self.recent.append((topic, message))
        task = asyncio.get_running_loop().create_task(self._tell())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()


class Defects(logging.Handler):
    """What the log calls a defect: a trace, or a message that nobody expected."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []
        self.longest = 0

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        self.longest = max(self.longest, len(text))
        if record.exc_info or "could not be handled" in text or "broke" in text or "Traceback" in text:
            self.found.append(f"{record.name}: {text[:500]} {record.exc_info}")


@contextmanager
def watched() -> Iterator[Defects]:
    """Look at everything that the daemon logs meanwhile."""
    root, handler = logging.getLogger(), Defects()
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)


@asynccontextmanager
async def fuzzed_daemon(bench: SimulatedBenchThread, folder: Path) -> AsyncIterator[tuple[Application, FuzzLink]]:
    """A daemon that is ready, and the link that it hears and speaks through."""
    with patch("daemon.bootstrap.BrokerLink", FuzzLink):
        daemon = application(configuration_of(bench.addresses, 1, folder, **SHORT))
    link = daemon.link
    assert isinstance(link, FuzzLink)
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(daemon.run(stop=stop, ready=ready.set), name="daemon")
    try:
        async with asyncio.timeout(WAIT_S):
            await ready.wait()
        yield daemon, link
        assert not serving.done(), "the daemon ended"
    finally:
        stop.set()
        async with asyncio.timeout(WAIT_S):
            await serving


async def state_of(link: FuzzLink, run_id: str, *phases: RunPhase) -> RunState:
    """Wait until a run is in one of these states."""
    topic = Topics(BENCH).state(run_id)
    state = await link.until(lambda where, what: where == topic and what.state in phases)
    assert isinstance(state, RunState)
    return state
