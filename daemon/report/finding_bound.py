"""Finding 3: an energy constraint is an upper bound on accuracy and on model complexity."""

from collections.abc import Sequence

import numpy as np

from daemon.report.finding import LEVEL, STRONG, Finding, Rows, Verdict, chance_text, steady, together, too_few
from daemon.report.measured_cell import MeasuredCell
from daemon.report.number_text import percent
from metrology.frontier import frontier_of
from metrology.relation import rank_interval

CLAIM = "3. An energy constraint is an upper bound on accuracy and model complexity"
NULL = (
    f"Null hypothesis, for accuracy and for operations, each at {percent(LEVEL)}: energy per image has nothing to do "
    "with it, so that the best network within any energy limit is as good as the best of as many picked by chance "
    "(permutation of the shortfall of the best within the limit, over all limits). Both refuted: it holds. It does "
    f"not where the 95 % interval of a rank correlation lies wholly below {STRONG:g}."
)


def judge_bound(cells: Sequence[MeasuredCell]) -> Finding:
    """Return the verdict on one cell a network."""
    used = [(cell, cell.paper, cell.spec) for cell in cells if cell.paper and cell.spec]
    if (few := too_few(len(used))) is not None:
        return Finding(claim=CLAIM, verdict=Verdict.UNTOLD, null=NULL, evidence=few)
    energies_j = np.array([cell.gross_j.value for cell, _, _ in used])
    own_j = np.array([cell.own_gross_j for cell, _, _ in used])
    gains = {
        "accuracy": np.array([paper.literature_top1_pct for _, paper, _ in used]),
        "operations": np.log([float(spec.ops) for _, _, spec in used]),
    }

    def judge(energies: Rows) -> Verdict:
        return together([judged(energies, gain) for gain in gains.values()])

    verdict, stands = steady(judge(energies_j), judge, energies_j, own_j)
    told = "; ".join(f"{name} {_text(energies_j, gain)}" for name, gain in gains.items())
    evidence = (
        f"{len(used)} networks, gross energy per image {energies_j.min():.3g} to {energies_j.max():.3g} J: {told}. "
        f"The shortfall is a part of the range, of operations of its logarithm.{stands} Accuracy is the literature's."
    )
    return Finding(claim=CLAIM, verdict=verdict, null=NULL, evidence=evidence)


def judged(energies_j: Rows, gain: Rows) -> Verdict:
    """Return the verdict on energies per image, in joules, and what they may bound, shape (n,) each."""
    if frontier_of(energies_j, gain).p_value < LEVEL:
        return Verdict.HOLDS
    return Verdict.FAILS if rank_interval(energies_j, gain)[1] < STRONG else Verdict.UNTOLD


def _text(energies_j: Rows, gain: Rows) -> str:
    found, (low, high) = frontier_of(energies_j, gain), rank_interval(energies_j, gain)
    return (
        f"falls short by {percent(found.shortfall)} within a limit, on average ({chance_text(found.p_value)}), rank "
        f"correlation 95 %: {low:+.2f} to {high:+.2f}"
    )
