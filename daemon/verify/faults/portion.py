"""Portion: a number of runs on one lab, every second one struck by a fault, and the evidence of it."""

import asyncio
import logging
import shutil
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from daemon.verify.faults.attacks import ATTACKS, FaultName
from daemon.verify.faults.evidence import NO_FAULT, Evidence, SeenRun, TrueRecord
from daemon.verify.faults.fault_lab import MOST_BATCHES, NETWORK, FaultLab
from daemon.verify.faults.inquest import kept_runs, torn_files
from daemon.verify.faults.judge import judged
from daemon.verify.faults.lab_watch import HeardRun
from daemon.verify.faults.moment import Moment
from runners.messages import BoardCommand

logger = logging.getLogger(__name__)

READY_S = 45.0
"""A lab that takes no run this long after a fault is over is stuck."""
END_S = 60.0
"""A run that has no end by then is stuck."""
QUIET_S = 2.0
"""Who has heard nothing of a run for this long, while nobody is at it, asks."""
ASK_AGAIN_S = 1.0
STALE_S = 20.0
"""After this long it is asked whoever says that he is at it: a status may be lost as any message may."""
UNKNOWN_TWICE = 2
"""A run that the daemon says it does not know, so often, was never requested."""
MOST_ENDLESS = 2
"""After so many runs without an end a portion is given up: a daemon that is deaf stays so."""
FEWEST_BATCHES = 3
MOST_IMAGES = 8
MIN_FREE_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Portion:
    """What one lab goes through."""

    index: int
    """Which portion."""
    seed: int
    """Seed of the campaign."""
    faults: tuple[FaultName, ...]
    """What strikes, in order; one that finds nothing to strike is let loose again."""
    runs: int
    """Runs to ask for, at least."""


async def evidence_of(portion: Portion, folder: Path, *, mounts: bool, keep: Path | None = None) -> Evidence:
    """Set up a lab, let all faults of a portion loose on its runs, and return what came of it.

    Args:
        portion: what it goes through.
        folder: an empty folder, for the lab.
        mounts: whether this process has mounts of its own.
        keep: where a copy of the lab's folder is left if something was found in it; None: nowhere.
    """
    rng = np.random.default_rng([portion.seed, portion.index])
    least_bytes = MIN_FREE_BYTES * int(rng.integers(2))
    world_seed = int(rng.integers(1, 1 << 31))
    async with FaultLab(folder, seed=world_seed, mounts=mounts, min_free_bytes=least_bytes) as lab:
        evidence = await _Rounds(portion, lab, rng).evidence()
        if keep is not None and judged(evidence):
            copy = keep / f"seed-{portion.seed}-portion-{portion.index}"
            shutil.copytree(folder, copy, dirs_exist_ok=True)
        return evidence


class _Rounds:
    """The runs of one portion, one after another."""

    def __init__(self, portion: Portion, lab: FaultLab, rng: np.random.Generator) -> None:
        self._portion = portion
        self._lab = lab
        self._rng = rng
        self._loop = asyncio.get_running_loop()
        self._waiting = deque(portion.faults)
        self._struck: list[FaultName] = []
        self._stuck: list[str] = []
        self._seen: list[SeenRun] = []

    async def evidence(self) -> Evidence:
        await self._until_ready("the lab was set up")
        while not self._stuck and (self._waiting or len(self._seen) < self._portion.runs):
            fault = self._waiting[0] if self._waiting and len(self._seen) % 2 else None
            self._seen.append(await self._round(fault))
            if self._seen[-1].fault != NO_FAULT:
                self._struck.append(self._waiting.popleft())
            if sum(not run.ended for run in self._seen) >= MOST_ENDLESS:
                self._stuck.append(f"given up after {len(self._seen)} runs, {MOST_ENDLESS} of them without an end")
        await self._ask_where_it_differs()
        if not await asyncio.to_thread(self._lab.daemon.stop):
            self._stuck.append("the daemon did not end when it was told to")
        return Evidence(
            portion=self._portion.index,
            seed=(self._portion.seed, self._portion.index),
            seen=tuple(self._with_last_words(run) for run in self._seen),
            kept=kept_runs(self._lab.data),
            faults=tuple(fault.value for fault in self._struck),
            torn=torn_files(self._lab.data),
            stuck=tuple(self._stuck),
            notes=tuple(self._lab.notes),
        )

    async def _round(self, fault: FaultName | None) -> SeenRun:
        """Ask for one run, with a fault or without one, and see it to its end."""
        lab, rng = self._lab, self._rng
        number = len(self._seen)
        batch_size, batches = int(rng.integers(1, MOST_IMAGES + 1)), int(rng.integers(FEWEST_BATCHES, MOST_BATCHES + 1))
        command = BoardCommand(
            run_id=f"p{self._portion.index}-{number}", network=NETWORK, batch_size=batch_size,
            images_planned=batch_size * batches,
        )  # fmt: skip
        acquired = lab.truth.acquisition_count()
        moment = Moment.drawn(rng)
        over = asyncio.Event()
        attack = None
        if fault is not None:
            attack = asyncio.create_task(self._attack(fault, moment, command.run_id, over), name=f"attack-{fault}")
            await asyncio.sleep(max(0.0, -moment.seconds))
        began_s = self._loop.time()
        lab.watch.command(command)
        ended, asked = await self._until_over(command.run_id, attack)
        duration_s = self._loop.time() - began_s
        over.set()
        struck = attack is not None and await attack
        await self._until_ready(f"run {command.run_id}, {fault or NO_FAULT} {moment}")
        name = fault.value if fault is not None and struck else NO_FAULT
        return SeenRun(
            run_id=command.run_id, fault=name, moment=str(moment) if struck else "", batch_size=batch_size,
            batches=batches, acknowledged=False, told=None, asked=asked, told_results=(), ended=ended,
            records=self._records(acquired), duration_s=duration_s,
        )  # fmt: skip

    async def _attack(self, fault: FaultName, moment: Moment, run_id: str, over: asyncio.Event) -> bool:
        await moment.come(self._lab.watch, run_id)
        return await ATTACKS[fault](self._lab, self._rng, over)

    async def _until_over(self, run_id: str, attack: asyncio.Task[bool] | None) -> tuple[bool, bool]:
        """Wait until the lab knows what became of a run; return whether it does, and whether it had to ask."""
        watch, heard = self._lab.watch, self._lab.watch.heard(run_id)
        began_s = heard_s = asked_s = self._loop.time()
        words = asked = 0
        while not _is_known(heard):
            await watch.next_word(0.2)
            now_s = self._loop.time()
            if len(heard.phases) > words:
                words, heard_s = len(heard.phases), now_s
            if now_s > began_s + END_S:
                return False, bool(asked)
            if attack is not None and not attack.done():
                heard_s = now_s
                continue
            if now_s < heard_s + QUIET_S or (self._is_at_it(run_id) and now_s < heard_s + STALE_S):
                continue
            if not asked or now_s > asked_s + ASK_AGAIN_S:
                watch.ask(run_id)
                asked, asked_s = asked + 1, now_s
        return True, bool(asked)

    def _is_at_it(self, run_id: str) -> bool:
        """Return whether board or daemon say that they are at a run."""
        agent, daemon = self._lab.watch.agent, self._lab.watch.daemon
        return run_id in (agent and agent.busy_run, daemon and daemon.current_run)

    async def _until_ready(self, after: str) -> None:
        """Wait until daemon and board say that they are free."""
        end_s = self._loop.time() + READY_S
        while not self._lab.is_ready:
            if self._loop.time() > end_s:
                self._stuck.append(f"no run is taken any more after {after}: {self._lab.state}")
                return
            await self._lab.watch.next_word(0.2)

    def _records(self, since: int) -> tuple[TrueRecord, ...]:
        return tuple(
            TrueRecord(
                pulses=len(one["pulses"]), gross_energy_j=one["gross_energy_j"], held_voltage=one["held_voltage"]
            )
            for one in self._lab.truth.acquisitions(since=since)
        )

    async def _ask_where_it_differs(self) -> None:
        """Ask for every run whose end the lab knows otherwise than the store has it: an end may have come late."""
        watch, kept = self._lab.watch, kept_runs(self._lab.data)
        for run in self._seen:
            stands, heard = kept.get(run.run_id), watch.heard(run.run_id)
            if stands is None or (
                (heard.last_word or "").startswith(stands.state) and (heard.results or not stands.results)
            ):
                continue
            answers, end_s = len(heard.answers), self._loop.time() + READY_S
            watch.ask(run.run_id)
            while len(heard.answers) == answers and self._loop.time() < end_s:
                await watch.next_word(0.2)

    def _with_last_words(self, run: SeenRun) -> SeenRun:
        heard = self._lab.watch.heard(run.run_id)
        return replace(run, acknowledged=heard.acknowledged, told=heard.last_word, told_results=tuple(heard.results))


def _is_known(heard: HeardRun) -> bool:
    unknown = sum(answer.state is None for answer in heard.answers)
    return heard.last_word is not None or (unknown >= UNKNOWN_TWICE and heard.answers[-1].state is None)
