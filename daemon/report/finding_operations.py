"""Finding 4: the operation count is a reliable estimate of inference time."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtri

from daemon.report.finding import LEVEL, Finding, Rows, Verdict, chance_text, steady, together, too_few
from daemon.report.measured_cell import MeasuredCell
from daemon.report.number_text import percent
from metrology.fitted_line import FittedLine, fit_line
from metrology.relation import LEAST_POINTS, fit_relation

CLAIM = "4. The operation count is a reliable estimate of inference time"
RELIABLE = 2.0
"""Factor within which an estimate is reliable: networks are chosen between in steps of about two (ResNet-18, -34,
-50, -101, -152; GoogLeNet, ResNet-34), so that an estimate further off cannot tell one step from the next."""
NULL = (
    f"Null hypotheses at {percent(LEVEL)}, for each batch size of at least {LEAST_POINTS} networks: time has nothing "
    "to do with operations (permutation); and of a new network's time the operations tell no more than a factor of "
    f"{RELIABLE:g} (95 % prediction interval of a straight line in logarithms; its scatter with its own 95 % "
    f"interval by chi-squared). It holds where the factor is below {RELIABLE:g} even with the largest scatter, and "
    "does not where it is above it even with the smallest (at the level divided by the batch sizes, since one is "
    "enough), or time falls."
)


def judge_operations(cells: Sequence[MeasuredCell]) -> Finding:
    """Return the verdict on all cells of one setting, batch size by batch size."""
    sizes: dict[int, list[MeasuredCell]] = {}
    for cell in cells:
        if cell.spec and cell.image_s:
            sizes.setdefault(cell.batch_size, []).append(cell)
    enough = {size: group for size, group in sorted(sizes.items()) if too_few(len(group)) is None}
    if not enough:
        most = max(map(len, sizes.values()), default=0)
        return Finding(claim=CLAIM, verdict=Verdict.UNTOLD, null=NULL, evidence=too_few(most) or "")
    parts, verdicts = [], []
    for size, group in enough.items():
        verdict, text = _of_size(group, tests=len(enough))
        verdicts.append(verdict)
        parts.append(f"Batch {size}, {len(group)} networks: {verdict}; {text}")
    return Finding(claim=CLAIM, verdict=together(verdicts), null=NULL, evidence="\n".join(parts))


def judged(operations: Rows, times_s: Rows, *, tests: int = 1) -> Verdict:
    """Return the verdict on operations and times per image, in seconds, shape (n,) each, as one of several tests."""
    related = fit_relation(np.log(operations), np.log(times_s))
    line = fit_line(np.log(operations), np.log(times_s))
    least, most = _factors(line, LEVEL / tests)[0], _factors(line, LEVEL)[2]
    if least > RELIABLE or (related.p_value < LEVEL / tests and related.slope < 0):
        return Verdict.FAILS
    return Verdict.HOLDS if related.p_value < LEVEL and most <= RELIABLE else Verdict.UNTOLD


def _of_size(group: Sequence[MeasuredCell], *, tests: int) -> tuple[Verdict, str]:
    operations = np.array([float(cell.spec.ops) for cell in group if cell.spec])
    times_s = np.array([cell.image_s.value for cell in group if cell.image_s])
    deviations_s = np.array([cell.image_s.u95 / 2 for cell in group if cell.image_s])

    def judge(drawn_s: Rows) -> Verdict:
        return judged(operations, drawn_s, tests=tests)

    verdict, stands = steady(judge(times_s), judge, times_s, deviations_s)
    least, factor, most = _factors(fit_line(np.log(operations), np.log(times_s)), LEVEL)
    line, exponent = fit_relation(operations, times_s), fit_line(np.log(operations), np.log(times_s)).slope
    return verdict, (
        f"straight line {1e12 * line.slope:.3g} ms for 10⁹ operations, R² = {line.r_squared:.2f} "
        f"({chance_text(line.p_value)}); time goes with operations to the power of {exponent:.2f}, and a new "
        f"network's is told within a factor of {factor:.2g} ({least:.2g} to {most:.2g}).{stands}"
    )


def _factors(line: FittedLine, level: float) -> tuple[float, float, float]:
    """Return the factor of the prediction interval, in the middle of the points, of a line in logarithms.

    By the smallest scatter that the level leaves possible, by the best, and by the largest.
    """
    freedom = line.degrees_of_freedom
    half = float(line.prediction_half_width(np.array([line.x_mean]))[0])
    low, high = (math.sqrt(freedom / float(chdtri(freedom, tail))) for tail in (level / 2, 1 - level / 2))
    return math.exp(half * low), math.exp(half), math.exp(min(half * high, 50.0))
