"""Finding: what the data say of one claim, and how a verdict is made to rest on them.

Every verdict is one of three. `holds` and `does not hold` each take evidence of their own, at the level below; what is
left is `cannot be told from these data`. So little data, or large uncertainties, never make a claim hold nor fail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from metrology.relation import LEAST_POINTS

LEVEL = 0.05
"""Chance, of each test, of a verdict by chance alone."""
DRAWS = 40
"""Data sets drawn within the uncertainties of the measured values."""
STEADY = 0.95
"""Part of them that must give the same verdict, or there is none."""
STRONG = 0.5
"""Rank correlation from which one quantity says much of another: Cohen's "large" effect (Statistical Power Analysis
for the Behavioral Sciences, 2nd ed. 1988, section 3.2). An interval wholly below it shows that there is no strong
relation."""

Rows = NDArray[np.float64]


class Verdict(StrEnum):
    """What the data say of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    UNTOLD = "cannot be told from these data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim, tested."""

    claim: str
    """The paper's, in short."""
    verdict: Verdict
    null: str
    """What is to be refuted, the level, and from when on the claim holds or does not."""
    evidence: str
    """The statistics with their sizes and chances."""


def chance_text(p_value: float) -> str:
    """Return a p-value for people."""
    return f"p = {p_value:.2g}" if p_value >= 1e-4 else "p < 0.0001"


def too_few(networks: int) -> str | None:
    """Return why so few networks decide nothing; None where there are enough."""
    if networks >= LEAST_POINTS:
        return None
    return f"It takes at least {LEAST_POINTS} networks with all values; these runs have {networks}."


def steady(verdict: Verdict, judge: Callable[[Rows], Verdict], values: Rows, deviations: Rows) -> tuple[Verdict, str]:
    """Return a verdict that the uncertainties of the values leave standing, and how often it stood.

    Args:
        verdict: that of the values themselves.
        judge: gives the verdict of other values.
        values: shape (n,), measured, greater than zero.
        deviations: shape (n,), their standard uncertainties by errors of their own, same unit.
    """
    if verdict is Verdict.UNTOLD or not deviations.any():
        return verdict, ""
    rng = np.random.default_rng(1)
    drawn = (np.maximum(rng.normal(values, deviations), 1e-3 * values) for _ in range(DRAWS))
    same = sum(judge(one) is verdict for one in drawn)
    text = f" The verdict stands in {same} of {DRAWS} draws of the measured values within their uncertainties"
    if same >= STEADY * DRAWS:
        return verdict, f"{text}."
    return Verdict.UNTOLD, f"{text}: too few for '{verdict}'."


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict of a claim with several parts: it holds where all do, and not where one does not."""
    if Verdict.FAILS in verdicts:
        return Verdict.FAILS
    return Verdict.HOLDS if verdicts and all(one is Verdict.HOLDS for one in verdicts) else Verdict.UNTOLD
