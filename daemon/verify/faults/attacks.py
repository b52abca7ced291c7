"""Attacks: the faults of a campaign, and how each is let loose on the lab.

An attack returns once the lab is whole again, and says whether anything was struck: a fault that waits for a message or
a block may find none before the run is over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum

import numpy as np

from daemon.verify.faults.fault_lab import ANSWER_TIMEOUT_S, FaultLab
from daemon.verify.faults.lab_processes import LOCK_TIMEOUT_S, LabProcess
from daemon.verify.faults.message_proxy import Direction, Meddling, MessageProxy, Order
from instruments.simulated.faults import FaultKind

YEAR_NS = 365 * 86400 * 10**9
ROOM_BYTES = 200_000
"""A disk that is full has less room than this, now and then for a capture, mostly for a part of one."""
POLL_S = 0.01


class FaultName(StrEnum):
    """What strikes."""

    DAEMON_KILLED = "daemon_killed"
    """The daemon's process is killed, and started again."""
    AGENT_KILLED = "agent_killed"
    """The agent's is."""
    BROKER_KILLED = "broker_killed"
    """mosquitto's is."""
    BROKER_FROZEN = "broker_frozen"
    """mosquitto stops in its tracks, for up to some keep-alives, and goes on."""
    INSTRUMENT_DISCONNECTED = "instrument_disconnected"
    """A cable to an instrument is pulled, and plugged in again."""
    BLOCK_DAMAGED = "block_damaged"
    """The next block of samples is cut, garbled, stalled, or its connection dropped."""
    MESSAGE_DUPLICATED = "message_duplicated"
    """Messages come twice."""
    MESSAGE_DROPPED = "message_dropped"
    """A message never comes."""
    MESSAGE_DELAYED = "message_delayed"
    """Messages come late."""
    MESSAGE_REORDERED = "message_reordered"
    """A message is overtaken by the next."""
    CLOCK_STEPPED = "clock_stepped"
    """The daemon's wall clock steps, by up to a year either way."""
    DISK_FULL = "disk_full"
    """The daemon's disk is full for a while."""
    DATABASE_LOCKED = "database_locked"
    """Another process locks the database, for longer than the daemon waits."""


Attack = Callable[[FaultLab, np.random.Generator, asyncio.Event], Awaitable[bool]]
"""Takes the lab, what to draw from, and an event that is set once the run in hand is over."""

_BLOCK_FAULTS = (
    FaultKind.TRUNCATE_NEXT_BLOCK,
    FaultKind.GARBLE_NEXT_BLOCK,
    FaultKind.STALL_NEXT_BLOCK,
    FaultKind.DROP_CONNECTION_NEXT_BLOCK,
)


async def _kill(process: LabProcess, rng: np.random.Generator) -> bool:
    process.kill()
    await _pause(rng, 0.0, 0.5)
    process.start()
    return True


async def kill_daemon(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Kill the daemon, and start it again."""
    del over
    return await _kill(lab.daemon, rng)


async def kill_agent(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Kill the agent, and start it again."""
    del over
    return await _kill(lab.agent, rng)


async def kill_broker(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Kill mosquitto, and start it again."""
    del over
    lab.broker.kill()
    await _pause(rng, 0.0, 1.0)
    lab.broker.start()
    return True


async def freeze_broker(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Stop mosquitto in its tracks for a while, now and then for longer than clients wait."""
    del over
    lab.broker.freeze()
    try:
        await asyncio.sleep(float(rng.exponential(1.5)) + 0.1)
    finally:
        lab.broker.thaw()
    return True


async def disconnect_instrument(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Pull a cable, and plug it in again."""
    del over
    cable = (lab.oscilloscope_cable, lab.adapter_cable)[int(rng.integers(2))]
    cable.pull(silently=bool(rng.integers(2)))
    try:
        await _pause(rng, 0.05, 3 * ANSWER_TIMEOUT_S)
    finally:
        cable.plug()
    return True


async def damage_block(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Damage the next block of samples."""
    before = lab.truth.faults()["struck"]
    lab.truth.fault(_BLOCK_FAULTS[int(rng.integers(len(_BLOCK_FAULTS)))].value)
    while lab.truth.faults()["struck"] == before and not over.is_set():
        await _first_of(over, timeout_s=POLL_S)
    lab.truth.fault(FaultKind.HEAL.value)
    return bool(lab.truth.faults()["struck"] > before)


def _meddler(meddling: Meddling, *, most: int) -> Attack:
    async def meddle(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
        proxy = (lab.daemon_messages, lab.agent_messages)[int(rng.integers(2))]
        order = Order(
            meddling=meddling,
            direction=(Direction.UP, Direction.DOWN)[int(rng.integers(2))],
            count=int(rng.integers(1, most + 1)),
            seconds=float(rng.uniform(0.05, 1.5)),
        )
        return await _let_meddle(proxy, order, over)

    return meddle


async def _let_meddle(proxy: MessageProxy, order: Order, over: asyncio.Event) -> bool:
    proxy.meddle(order)
    await _first_of(over, order.spent)
    proxy.leave_alone()
    if order.struck.is_set() and order.meddling in (Meddling.DELAY, Meddling.REORDER):
        await asyncio.sleep(order.seconds)
    return order.struck.is_set()


async def step_clock(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Step the daemon's wall clock, by milliseconds to a year, either way."""
    del over
    magnitude_ns = round(10.0 ** rng.uniform(6.0, np.log10(YEAR_NS)))
    lab.clock.step(magnitude_ns if rng.integers(2) else -magnitude_ns)
    return True


async def fill_disk(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Fill the daemon's disk, and make room again after a while."""
    del over
    lab.disk.fill(daemon_pid=lab.daemon.pid, left_bytes=round(ROOM_BYTES ** rng.uniform(0.0, 1.0)))
    try:
        await _pause(rng, 0.1, 1.5)
    finally:
        lab.disk.free(daemon_pid=lab.daemon.pid)
    return True


async def lock_database(lab: FaultLab, rng: np.random.Generator, over: asyncio.Event) -> bool:
    """Hold a lock on the database, for longer than the daemon waits."""
    del over
    with lab.locked_database():
        await _pause(rng, 1.2 * LOCK_TIMEOUT_S, 2.5 * LOCK_TIMEOUT_S)
    return True


async def _first_of(*events: asyncio.Event, timeout_s: float | None = None) -> None:
    """Wait until one of these is set, or this time is over."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def _pause(rng: np.random.Generator, least_s: float, most_s: float) -> None:
    await asyncio.sleep(float(rng.uniform(least_s, most_s)))


ATTACKS: dict[FaultName, Attack] = {
    FaultName.DAEMON_KILLED: kill_daemon,
    FaultName.AGENT_KILLED: kill_agent,
    FaultName.BROKER_KILLED: kill_broker,
    FaultName.BROKER_FROZEN: freeze_broker,
    FaultName.INSTRUMENT_DISCONNECTED: disconnect_instrument,
    FaultName.BLOCK_DAMAGED: damage_block,
    FaultName.MESSAGE_DUPLICATED: _meddler(Meddling.DUPLICATE, most=5),
    FaultName.MESSAGE_DROPPED: _meddler(Meddling.DROP, most=1),
    FaultName.MESSAGE_DELAYED: _meddler(Meddling.DELAY, most=2),
    FaultName.MESSAGE_REORDERED: _meddler(Meddling.REORDER, most=2),
    FaultName.CLOCK_STEPPED: step_clock,
    FaultName.DISK_FULL: fill_disk,
    FaultName.DATABASE_LOCKED: lock_database,
}
"""How each fault is let loose."""
