"""Recovery verification: every fault struck many times, and what the daemon made of it."""

import asyncio
import logging
import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from daemon.errors import VerificationFailed
from daemon.verify.fault_stage import FaultStage
from daemon.verify.strike import ASSAULTS, Assault, Strike, strike
from metrology.errors import JoulebenchError

PORTION = 10
"""Strikes in a row on one stage: a portion for one process. Setting a stage takes longer than a strike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What one fault did, over all its strikes."""

    fault: str
    """Its name."""
    strikes: int
    """How often it struck."""
    ended: dict[str, int]
    """How the runs in hand ended, and how many."""
    next_ended: dict[str, int]
    """How the next runs ended, and how many."""
    wrong_valid: int
    """Results that were called valid and were not."""
    next_valid: int
    """Next runs that were measured."""
    steps: dict[str, int]
    """Most drastic step that each recovery needed; `none`: no session had suffered."""
    recovery_median_s: float | None
    """Median of the recovery times, in seconds; None: there was nothing to recover."""
    recovery_max_s: float | None
    """The longest of them."""

    @property
    def passed(self) -> bool:
        """Whether no bad result was called good, and every next run was measured."""
        return self.wrong_valid == 0 and self.next_valid == self.strikes


def verify_recovery(
    *,
    times: int,
    seed: int,
    jobs: int,
    assaults: Sequence[Assault] = ASSAULTS,
    on_strike: Callable[[int], None] = lambda _: None,
) -> list[Toll]:
    """Let each fault strike runs at random moments, and have the next run measured after each.

    Args:
        times: how often each fault strikes.
        seed: seed of the moments and of the worlds.
        jobs: processes that work at the same time, each with a bench, a broker and a daemon of its own.
        assaults: the faults.
        on_strike: told how many strikes are done, whenever some are.

    Raises:
        VerificationFailed: a daemon ended, or a fault found no run to strike.
    """
    struck: dict[Assault, list[Strike]] = {assault: [] for assault in assaults}
    done = 0
    for strikes in _portions_done(times, seed, jobs, assaults):
        struck[strikes[0].assault] += strikes
        done += len(strikes)
        on_strike(done)
    return [toll_of(assault, strikes) for assault, strikes in struck.items()]


def toll_of(assault: Assault, strikes: Sequence[Strike]) -> Toll:
    """Sum up a fault's strikes."""
    seconds = [one.recovery_s for one in strikes if one.recovery_s is not None]
    return Toll(
        fault=assault.name,
        strikes=len(strikes),
        ended=_counted(one.ended for one in strikes),
        next_ended=_counted(one.next_ended for one in strikes),
        wrong_valid=sum(one.wrong for one in strikes),
        next_valid=sum(one.next_valid for one in strikes),
        steps=_counted(one.step for one in strikes),
        recovery_median_s=median(seconds) if seconds else None,
        recovery_max_s=max(seconds, default=None),
    )


def _counted(names: Iterator[str]) -> dict[str, int]:
    return dict(Counter(names).most_common())


def _portions_done(times: int, seed: int, jobs: int, assaults: Sequence[Assault]) -> Iterator[list[Strike]]:
    # spawned, not forked: a fork would copy the threads' locks of a caller in an unknown state
    context = multiprocessing.get_context("spawn")
    tasks: list[Any] = [
        (assault, min(PORTION, times - begun), [seed, number, begun])
        for begun in range(0, times, PORTION)
        for number, assault in enumerate(assaults)
    ]
    tasks.reverse()
    pending = set[Future[list[Strike]]]()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_quiet) as pool:
        try:
            while tasks or pending:
                while tasks and len(pending) < 2 * jobs:
                    pending.add(pool.submit(_portion, *tasks.pop()))
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    """Keep what the daemons say of the faults from the screen: each is counted in the table."""
    logging.getLogger().addHandler(logging.NullHandler())


def _portion(assault: Assault, times: int, seed: list[int]) -> list[Strike]:
    try:
        return asyncio.run(_strikes(assault, times, np.random.default_rng(seed)))
    except JoulebenchError as error:
        # an error with parameters of its own does not always survive the way between processes
        raise VerificationFailed(f"{assault.name}: {error}") from None


async def _strikes(assault: Assault, times: int, rng: np.random.Generator) -> list[Strike]:
    async with FaultStage(seed=int(rng.integers(1, 1 << 31))) as stage:
        await stage.run()  # the first one loads and opens everything: its course says nothing of a moment in a run
        return [await strike(stage, assault, rng) for _ in range(times)]
