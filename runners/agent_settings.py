"""Agent settings: who the board is, where its broker is, how long it waits."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runners.broker_address import BrokerAddress


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeTimeouts:
    """How long a board waits for the daemon at each step, in seconds."""

    accept_s: float = 10.0
    """From the request to the daemon's first word; after it the daemon counts as silent."""
    armed_s: float = 60.0
    """From the request to armed."""
    longest_run_s: float = 600.0
    """Longest run without an image limit, so that a board whose lab has vanished stops in the end."""
    result_s: float = 60.0
    """From finished to the end of the run."""
    batch_s: float = 300.0
    """Longest that the batch in hand may take after no further one is wanted, before the agent counts as stuck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What an agent needs to know."""

    broker: BrokerAddress
    """The MQTT broker."""
    bench: str
    """Bench that measures this board."""
    board: str
    """Name of this board."""
    networks: tuple[str, ...] = ()
    """Networks that it can run, for its status."""
    precisions: tuple[str, ...] = ("fp32",)
    """Number formats that it can run them in, for its status."""
    backends: tuple[str, ...] = ("cpu",)
    """What it can run them on, for its status."""
    announce: bool = True
    """Publish the board's status; False for a single run beside an agent that serves the same board."""
    connect_timeout_s: float = 10.0
    """How long a run waits for the broker before it gives up, in seconds."""
    timeouts: HandshakeTimeouts = field(default_factory=HandshakeTimeouts)
    """How long it waits for the daemon."""
    campaigns: Path | None = None
    """Folder of the journals of campaigns that it performs by itself; None: it performs none."""
    sync: tuple[str, ...] | None = None
    """Synchronisation methods to offer, the best first; None: all that this board can, `marker` where it is wired."""
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    """The board's clock, in nanoseconds; the world's where a simulated one runs faster than ours."""

    def offered_sync(self, *, wired: bool) -> tuple[str, ...]:
        """Return the synchronisation methods that the board offers; `wired`: its marker reaches the oscilloscope."""
        if self.sync is not None:
            return self.sync
        return ("marker", "clock", "step") if wired else ("clock", "step")
