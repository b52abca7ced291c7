"""Finding 2: accuracy and inference time are in a hyperbolic relationship: accuracy falls with images per second."""

from collections.abc import Sequence

import numpy as np

from daemon.report.finding import LEVEL, STRONG, Finding, Rows, Verdict, chance_text, steady, too_few
from daemon.report.measured_cell import MeasuredCell
from daemon.report.number_text import percent
from metrology.relation import fit_relation, prediction_errors, rank_interval, smaller_errors

CLAIM = "2. Accuracy and inference time are in a hyperbolic relationship"
NULL = (
    f"Null hypotheses, each at {percent(LEVEL)}: accuracy has nothing to do with images per second (permutation of a "
    "straight line, which is a hyperbola over time); and a straight line over time, or over its logarithm, predicts "
    "a network left out as well (random signs of squared errors). It holds where accuracy falls with the rate, the "
    "hyperbola predicts better than the line over time, and neither rival predicts better than it. It does not "
    "where accuracy rises with the rate, a rival predicts better, or the 95 % interval of the rank correlation "
    f"leaves out {-STRONG:g} and stronger."
)


def judge_hyperbola(cells: Sequence[MeasuredCell]) -> Finding:
    """Return the verdict on one cell a network."""
    used = [(cell.image_s, cell.paper.literature_top1_pct) for cell in cells if cell.paper and cell.image_s]
    if (few := too_few(len(used))) is not None:
        return Finding(claim=CLAIM, verdict=Verdict.UNTOLD, null=NULL, evidence=few)
    times_s = np.array([time.value for time, _ in used])
    tops = np.array([top for _, top in used])
    deviations_s = np.array([time.u95 / 2 for time, _ in used])
    verdict, stands = steady(judged(times_s, tops), lambda drawn: judged(drawn, tops), times_s, deviations_s)
    line = fit_relation(1 / times_s, tops)
    low, high = rank_interval(1 / times_s, tops)
    misses = {name: np.sqrt(np.mean(prediction_errors(x, tops) ** 2)) for name, x in _shapes(times_s).items()}
    told = ", ".join(f"{name} {miss:.1f} points" for name, miss in misses.items())
    evidence = (
        f"{len(used)} networks: {line.slope:+.3g} points of accuracy for each image a second, R² = "
        f"{line.r_squared:.2f} ({chance_text(line.p_value)}); rank correlation 95 %: {low:+.2f} to {high:+.2f}. A "
        f"network left out is missed by, root mean square: {told}. Better than the line over time: "
        f"{chance_text(_better(times_s, tops, 'line over time'))}.{stands} Accuracy is the literature's."
    )
    return Finding(claim=CLAIM, verdict=verdict, null=NULL, evidence=evidence)


def judged(times_s: Rows, tops: Rows) -> Verdict:
    """Return the verdict on times per image, in seconds, and accuracies, shape (n,) each."""
    line = fit_relation(1 / times_s, tops)
    if line.p_value >= LEVEL:
        low, _ = rank_interval(1 / times_s, tops)
        return Verdict.FAILS if low > -STRONG else Verdict.UNTOLD
    if line.slope > 0:
        return Verdict.FAILS
    errors = {name: prediction_errors(x, tops) for name, x in _shapes(times_s).items()}
    mine = errors.pop("hyperbola")
    if any(smaller_errors(rival, mine) < LEVEL / len(errors) for rival in errors.values()):
        return Verdict.FAILS
    return Verdict.HOLDS if _better(times_s, tops, "line over time") < LEVEL else Verdict.UNTOLD


def _better(times_s: Rows, tops: Rows, rival: str) -> float:
    shapes = _shapes(times_s)
    return smaller_errors(prediction_errors(shapes["hyperbola"], tops), prediction_errors(shapes[rival], tops))


def _shapes(times_s: Rows) -> dict[str, Rows]:
    return {"hyperbola": 1 / times_s, "line over time": times_s, "line over its logarithm": np.log(times_s)}
