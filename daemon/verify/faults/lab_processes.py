"""Lab processes: the daemon and the board's agent, each a process of its own that can be killed and is soon back.

They are forked from a server that has imported everything and runs nothing: a start takes some 50 ms, where a fresh
interpreter takes seconds, and a kill is a kill all the same.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.pool import Pool

from daemon.bootstrap import application
from daemon.configuration import Configuration
from daemon.verify.faults.stepped_clock import SteppedClock
from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.markers.factory import marker_from_url
from runners.scripted_workload import Script, scripted_factory

logger = logging.getLogger(__name__)

PRELOADED = [__name__, "GTC", "pyvisa_py", "pyarrow.parquet", "sqlalchemy.dialects.sqlite"]
"""What the server has imported before it forks."""
LOCK_TIMEOUT_S = 1.0
"""How long the daemon waits for a database that another process has locked, instead of its own ten seconds: as all of
the lab, it lives ten times as fast."""
END_S = 30.0


def forking() -> ForkServerContext:
    """Return what makes processes out of a server with everything imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def forget_the_program() -> None:
    """Let children of this process not begin with the program that it was started with: each would import it anew."""
    program = sys.modules["__main__"]
    program.__spec__ = None
    program.__file__ = None


class LabProcess:
    """One process at a time that does one thing; it can be started again whenever it has ended."""

    def __init__(self, context: ForkServerContext, name: str, target: Callable[..., None], *arguments: Any) -> None:
        self._context = context
        self._name = name
        self._target = target
        self._arguments = arguments
        self._process: ForkServerProcess | None = None
        self.wanted = False
        """Whether it is to run: what has ended while it is wanted did so by itself."""

    @property
    def pid(self) -> int | None:
        """The process's number; None while none runs."""
        return self._process.pid if self._process is not None and self._process.is_alive() else None

    @property
    def lost(self) -> bool:
        """Whether it has ended by itself."""
        return self.wanted and self.pid is None

    def start(self) -> None:
        """Start it."""
        self._process = self._context.Process(target=self._target, args=self._arguments, name=self._name, daemon=True)
        self._process.start()
        self.wanted = True

    def kill(self) -> None:
        """Kill it, and return once it is dead."""
        self.wanted = False
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._process = None

    def stop(self) -> bool:
        """Ask it to end, and return whether it did within half a minute; it is killed otherwise."""
        self.wanted = False
        if self._process is None:
            return True
        self._process.terminate()
        self._process.join(END_S)
        ended = not self._process.is_alive()
        self.kill()
        return ended


def serve_daemon(configuration: Configuration, clock: Path, log: Path) -> None:
    """Be the daemon, by a clock that may be stepped; until SIGTERM."""
    _log_to(log)
    SteppedClock(clock).install()
    event.listen(Pool, "checkout", _wait_less)

    async def serve(stop: asyncio.Event) -> None:
        await application(configuration).run(stop=stop)

    asyncio.run(_until_told(serve))


def serve_agent(settings: AgentSettings, script: Script, marker_url: str, log: Path) -> None:
    """Be the board's agent; until SIGTERM."""
    _log_to(log)

    async def serve(stop: asyncio.Event) -> None:
        async with Agent(settings, scripted_factory(script), marker) as agent:
            serving = asyncio.create_task(agent.serve(), name="agent")
            await stop.wait()
            serving.cancel()
            await asyncio.wait([serving])

    marker = marker_from_url(marker_url)
    try:
        asyncio.run(_until_told(serve))
    finally:
        marker.close()


async def _until_told(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Serve until SIGTERM; and not a moment longer than whoever has started this process lives."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    parent = multiprocessing.parent_process()
    assert parent is not None
    loop.add_reader(parent.sentinel, os._exit, 1)
    await serve(stop)


def _log_to(path: Path) -> None:
    """Let all that this process says go into one file."""
    sink = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", force=True
    )
    for name in ("pyvisa", "aiomqtt", "mqtt"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logger.info("process %d begins", os.getpid())


def _wait_less(connection: Any, _record: object, _proxy: object) -> None:
    connection.execute(f"PRAGMA busy_timeout={round(LOCK_TIMEOUT_S * 1000)}")
