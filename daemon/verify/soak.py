"""Soak: run after run in one process, and what it holds of memory, descriptors, threads, tasks and files meanwhile."""

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from daemon.captures import SUFFIX
from daemon.errors import VerificationFailed
from daemon.verify.fault_stage import FaultStage
from daemon.verify.faults.lab_broker import LabBroker
from daemon.verify.strike import how_it_ended
from metrology.quality import Verdict
from runners.process_memory import resident_bytes

TIME_SCALE = 20.0
"""World seconds per real one: a record of two takes 100 ms."""
FEWEST_RUNS = 100
"""Fewer have no tenths to compare."""
MOST_SAMPLES = 500
"""Samples of one soak; more runs are sampled less often."""
KEPT_CAPTURES = 8
"""Captures that are left on the disk: those of thousands of runs would fill it, and tell nothing."""
MEMORY_LIMIT = 0.05
"""Largest growth of the resident memory, relative."""
LEAST_MEASURED = 0.95
"""Least part of the runs that is to have a result: a soak of runs that fail shows nothing. Their verdict does not
count: in a world that runs so much faster than this computer a busy moment costs a run its validity."""
COUNTED = ("descriptors", "threads", "tasks", "files")
"""What may not grow at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the process held after a run."""

    resident_bytes: int
    """Memory in physical memory, in bytes."""
    descriptors: int
    """Open files and sockets."""
    threads: int
    """Threads of the system."""
    tasks: int
    """asyncio tasks."""
    files: int
    """Files in the storage directory; of captures, the newest are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How one quantity grew, from the median over the second tenth of the runs to that over the last.

    The first tenth fills what is filled once: caches, pools, and the heap's first arenas.
    """

    start: float
    """Median over the second tenth of the runs."""
    end: float
    """Median over the last tenth."""
    growth: float
    """What was added between them."""
    growth_pct: float
    """The same, in per cent of the start."""
    most: float
    """The most that was ever held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakReport:
    """What a soak showed."""

    runs: int
    """Runs that were performed."""
    ended: Mapping[str, int]
    """How they ended, and how many."""
    duration_s: float
    """How long they took, in seconds."""
    quantities: Mapping[str, Growth]
    """How each quantity grew."""

    @property
    def measured(self) -> int:
        """Runs that have a result."""
        verdicts = {verdict.value for verdict in Verdict}
        return sum(count for end, count in self.ended.items() if end.partition(":")[0] in verdicts)

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong, a sentence each; nothing where nothing grows."""
        found = []
        memory = self.quantities["resident_bytes"]
        if memory.growth >= MEMORY_LIMIT * memory.start:
            found.append(
                f"resident memory grew by {memory.growth_pct:.1f} %, and less than {MEMORY_LIMIT:.0%} is allowed"
            )
        for name in COUNTED:
            if self.quantities[name].growth >= 1.0:
                one = self.quantities[name]
                found.append(f"{name} grew from {one.start:g} to {one.end:g}, and must not grow")
        if self.measured < LEAST_MEASURED * self.runs:
            found.append(f"{self.measured} of {self.runs} runs have a result, and {LEAST_MEASURED:.0%} are needed")
        return tuple(found)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "passed": not self.complaints}


def verify_soak(*, runs: int, seed: int, on_run: Callable[[int], None] = lambda _: None) -> SoakReport:
    """Perform runs one after another in this process: daemon, agent and simulated bench; the broker is mosquitto.

    Args:
        runs: how many, 100 or more.
        seed: seed of the world.
        on_run: told how many runs are done, after each.

    Raises:
        VerificationFailed: there are too few runs, the daemon ended, or there is no mosquitto or no memory to be told.
    """
    if runs < FEWEST_RUNS:
        raise VerificationFailed(
            f"--runs must be at least {FEWEST_RUNS} to have tenths that can be compared, got {runs}"
        )
    with _broker() as port:
        return asyncio.run(_soaked(runs, seed, port, on_run))


def grown(samples: Sequence[Sample]) -> dict[str, Growth]:
    """Return how each quantity grew over samples that were taken at even distances."""
    tenth = max(1, len(samples) // 10)
    second, last = samples[tenth : 2 * tenth], samples[-tenth:]
    return {name: _growth(name, second, last, samples) for name in Sample.__dataclass_fields__}


def _growth(name: str, second: Sequence[Sample], last: Sequence[Sample], samples: Sequence[Sample]) -> Growth:
    start, end = (float(median(getattr(one, name) for one in part)) for part in (second, last))
    most = float(max(getattr(one, name) for one in samples))
    return Growth(start=start, end=end, growth=end - start, growth_pct=100 * (end - start) / start, most=most)


async def _soaked(runs: int, seed: int, port: int, on_run: Callable[[int], None]) -> SoakReport:
    ended: Counter[str] = Counter()
    samples: list[Sample] = []
    every = -(-runs // MOST_SAMPLES)
    async with FaultStage(seed=seed, time_scale=TIME_SCALE, broker_port=port) as stage:
        captures = _Captures(stage.folder / "captures")
        began_s = time.monotonic()
        for number in range(1, runs + 1):
            ended[how_it_ended(await stage.run())] += 1
            stage.take_recoveries()
            captures.prune()
            if number % every == 0:
                samples.append(sample_of(stage.folder))
            on_run(number)
        duration_s = time.monotonic() - began_s
    return SoakReport(runs=runs, ended=dict(ended.most_common()), duration_s=duration_s, quantities=grown(samples))


def sample_of(folder: Path) -> Sample:
    """Return what this process holds now, and how many files lie in a folder.

    Raises:
        VerificationFailed: the system does not tell.
    """
    memory_bytes = resident_bytes()
    if memory_bytes is None:
        raise VerificationFailed("this system does not tell a process's memory in /proc/self/status: soak on Linux")
    return Sample(
        resident_bytes=memory_bytes,
        descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names are all that is wanted
        threads=len(os.listdir("/proc/self/task")),  # noqa: PTH208
        tasks=len(asyncio.all_tasks()),
        files=sum(len(names) for _, _, names in os.walk(folder)),
    )


class _Captures:
    """The folder of captures, of which the newest are left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: deque[Path] = deque()
        self._seen: set[Path] = set()

    def prune(self) -> None:
        """Remove all but the newest."""
        new = set(self._folder.glob(f"*{SUFFIX}")) - self._seen
        self._known.extend(sorted(new))
        self._seen |= new
        while len(self._known) > KEPT_CAPTURES:
            oldest = self._known.popleft()
            self._seen.discard(oldest)
            oldest.unlink()


@contextmanager
def _broker() -> Iterator[int]:
    """Yield the port of a mosquitto: what another broker in this process leaks would be held against the daemon."""
    with TemporaryDirectory(prefix="joulebench-soak-") as folder:
        broker = LabBroker(Path(folder))
        broker.start()
        try:
            yield broker.port
        finally:
            broker.kill()
