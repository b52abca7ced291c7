"""Fault campaign: portions of runs and faults, done by processes side by side, and gone on with where it was left."""

import asyncio
import logging
import multiprocessing
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from daemon.errors import VerificationFailed
from daemon.verify.faults.attacks import FaultName
from daemon.verify.faults.evidence import Evidence
from daemon.verify.faults.lab_broker import mosquitto_path
from daemon.verify.faults.lab_disk import leave_the_mounts_of_others
from daemon.verify.faults.lab_processes import forget_the_program
from daemon.verify.faults.portion import Portion, evidence_of
from daemon.verify.faults.report import FaultReport, report_of
from daemon.verify.faults.strike_log import StrikeLog
from metrology.errors import JoulebenchError

PORTION_FAULTS = 20
"""Faults of one portion: a lab takes seconds to set up, and one that is stuck costs what is left of its portion."""

ATTEMPTS = 2
"""A portion whose lab broke, not what is struck in it, is done again from its seed."""

logger = logging.getLogger(__name__)


def verify_faults(
    *,
    count: int,
    runs: int,
    seed: int,
    jobs: int,
    kinds: Sequence[FaultName] = tuple(FaultName),
    log: Path | None = None,
    keep: Path | None = None,
    on_portion: Callable[[Evidence], None] = lambda _: None,
) -> FaultReport:
    """Let faults strike runs at random moments, and judge what the daemon made of them.

    Args:
        count: faults, of each kind as many as of any other, or one more.
        runs: runs to ask for, at least; every fault takes two, so that each is followed by a run without one.
        seed: seed of everything that is drawn.
        jobs: labs that are struck at the same time, each with processes of its own.
        kinds: the faults.
        log: file that keeps what is done; a campaign that was left is gone on with from it.
        keep: folder for what is left of labs in which something was found; None: it is not kept.
        on_portion: told of each portion as it is done, of those that the log holds too.

    Raises:
        VerificationFailed: mosquitto is missing, a lab could not be set up, or the log is of another campaign.
    """
    mosquitto_path()
    portions = planned(count=count, runs=runs, seed=seed, kinds=kinds)
    campaign = {"count": count, "runs": runs, "seed": seed, "kinds": [kind.value for kind in kinds]}
    with StrikeLog(log, campaign) as done:
        for evidence in done.done.values():
            on_portion(evidence)
        for evidence in _portions_done([one for one in portions if one.index not in done.done], jobs, keep):
            done.add(evidence)
            on_portion(evidence)
        return report_of(done.done.values())


def planned(*, count: int, runs: int, seed: int, kinds: Sequence[FaultName]) -> list[Portion]:
    """Return the portions of a campaign: its faults in an order drawn from the seed, and its runs shared out."""
    faults = [kinds[number % len(kinds)] for number in range(count)]
    np.random.default_rng([seed, 0xFA]).shuffle(faults)
    number = -(-count // PORTION_FAULTS)
    return [
        Portion(
            index=index,
            seed=seed,
            faults=tuple(faults[index * PORTION_FAULTS : (index + 1) * PORTION_FAULTS]),
            runs=runs * (index + 1) // number - runs * index // number,
        )
        for index in range(number)
    ]


def _portions_done(portions: Sequence[Portion], jobs: int, keep: Path | None) -> Iterator[Evidence]:
    # spawned, not forked: a fork would copy the threads' locks of a caller in an unknown state
    context = multiprocessing.get_context("spawn")
    waiting, pending = list(reversed(portions)), set[Future[Evidence]]()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_set_up) as pool:
        try:
            while waiting or pending:
                while waiting and len(pending) < jobs:
                    pending.add(pool.submit(_done, waiting.pop(), keep))
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


_mounts = False
_folder: Path | None = None


def _set_up() -> None:
    """Prepare a process that has labs struck: with mounts of its own where the system lets it, quiet, on one thread."""
    global _mounts  # noqa: PLW0603 - once for the whole process, before it has threads
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    _mounts = leave_the_mounts_of_others()
    forget_the_program()
    threading.Thread(target=_end_with_the_campaign, name="end-with-the-campaign", daemon=True).start()
    logging.getLogger().addHandler(logging.NullHandler())


def _end_with_the_campaign() -> None:
    """End this process, and with it all of its lab, once the campaign's is dead, however that came."""
    campaign = multiprocessing.parent_process()
    if campaign is not None:
        campaign.join()
        if _folder is not None:
            shutil.rmtree(_folder, ignore_errors=True)  # nobody else is left who would
        os._exit(1)


def _done(portion: Portion, keep: Path | None) -> Evidence:
    global _folder  # noqa: PLW0603 - for whoever ends this process
    for attempt in range(ATTEMPTS):
        try:
            with TemporaryDirectory(prefix="joulebench-faults-", ignore_cleanup_errors=True) as name:
                _folder = Path(name)
                return asyncio.run(evidence_of(portion, Path(name), mounts=_mounts, keep=keep))
        except (JoulebenchError, OSError, sqlite3.Error) as error:
            logger.warning("portion %d: %s", portion.index, error)
            if attempt == ATTEMPTS - 1:
                # an error with parameters of its own does not always survive the way between processes
                text = f"portion {portion.index} of seed {portion.seed}: {type(error).__name__}: {error}"
                raise VerificationFailed(text) from None
    raise AssertionError("unreachable: the last attempt returns or raises")
