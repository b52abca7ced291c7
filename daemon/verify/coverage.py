"""Coverage: how often the stated interval holds the truth, over many virtual benches."""

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.errors import ProcedureFailed
from daemon.errors import VerificationFailed
from daemon.verify.score import Score
from daemon.verify.virtual_bench import TIME_SCALE, score_bench
from metrology.errors import JoulebenchError
from metrology.ladder import Rung

logger = logging.getLogger(__name__)

SEED_STRIDE = 1_000_000
"""Seeds of two verifications lie this far apart, so that no bench is in both."""
ATTEMPTS = 3
"""A bench whose simulation failed is made again from its seed, and so is one whose supply was not read during the run:
a computer too busy to keep the world's pace makes that, no bench does. Each time its world is half as fast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """What the benches say together."""

    benches: int
    """Virtual benches that were made."""
    results: int
    """Results that were scored: one a bench, degraded ones counted too, invalid ones not."""
    coverage_95: float
    """Part of the scored results whose 95 % interval holds the truth."""
    bias_pct: float
    """Mean relative error, in per cent."""
    median_u95_pct: float
    """Median of the relative expanded uncertainty, in per cent."""
    p95_abs_error_pct: float
    """Relative error that 95 % of the results do not exceed, in per cent."""
    invalid: int
    """Results that were invalid or had no energy."""


def verify_coverage(
    *, benches: int, seed: int, rung: Rung, jobs: int, on_score: Callable[[Score], None] = lambda _: None
) -> CoverageReport:
    """Measure on many virtual benches and compare each with the truth.

    Args:
        benches: how many.
        seed: seed of the first; each bench has one of its own.
        rung: how windows are found.
        jobs: processes that work at the same time.
        on_score: told of each bench as it is done.

    Raises:
        VerificationFailed: a bench could not be calibrated or measured.
    """
    scores = []
    for score in _scores([seed * SEED_STRIDE + k for k in range(benches)], rung, jobs):
        scores.append(score)
        on_score(score)
    return report_of(scores)


def report_of(scores: Sequence[Score]) -> CoverageReport:
    """Sum up scored benches.

    Raises:
        VerificationFailed: no bench gave a result.
    """
    scored = [one for one in scores if one.counts]
    if not scored:
        reasons = sorted({reason for one in scores for reason in one.reasons})
        raise VerificationFailed(f"none of {len(scores)} benches gave a result; reasons: {', '.join(reasons)}")
    errors = np.array([one.error for one in scored])
    widths = np.array([one.relative_u95 for one in scored])
    return CoverageReport(
        benches=len(scores),
        results=len(scored),
        coverage_95=float(np.mean([one.covered for one in scored])),
        bias_pct=100 * float(np.mean(errors)),
        median_u95_pct=100 * float(np.median(widths)),
        p95_abs_error_pct=100 * float(np.quantile(np.abs(errors), 0.95)),
        invalid=len(scores) - len(scored),
    )


def _scores(seeds: Sequence[int], rung: Rung, jobs: int) -> Iterator[Score]:
    """Yield the benches' scores as they are done; never more are begun than can be worked on soon."""
    # spawned, not forked: a fork would copy the threads' locks of a caller in an unknown state
    context = multiprocessing.get_context("spawn")
    waiting, pending = list(reversed(seeds)), set[Future[Score]]()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_single_threaded) as pool:
        try:
            while waiting or pending:
                while waiting and len(pending) < 2 * jobs:
                    pending.add(pool.submit(_attempted, waiting.pop(), rung))
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:
            pool.shutdown(cancel_futures=True)


def _single_threaded() -> None:
    """Keep numpy's own threads out of each other's way: the benches are the parallel work."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")


def _attempted(seed: int, rung: Rung, **planted: Any) -> Score:
    for attempt in range(ATTEMPTS):
        try:
            score = score_bench(seed, rung, planted=planted, time_scale=TIME_SCALE / 2**attempt)
            if score.supply_was_read or attempt == ATTEMPTS - 1:
                return score
        except ProcedureFailed as error:
            # a bench that cannot be calibrated has no result, and is none to draw again
            logger.warning("bench of seed %d: %s", seed, error)
            return Score.without_result(seed, cause="not calibrated")
        except JoulebenchError as error:
            if attempt == ATTEMPTS - 1:
                # an error with parameters of its own does not always survive the way between processes
                raise VerificationFailed(f"bench of seed {seed}: {error}") from None
    raise AssertionError("unreachable: the last attempt returns or raises")
