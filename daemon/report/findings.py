"""Findings: the paper's four, each tested on the data with a statistic and given a plain verdict."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from daemon.report.material import Material
from daemon.report.measured_cell import MeasuredCell
from metrology.linear_fit import chi_squared_survival
from metrology.relation import LEAST_POINTS, fit_relation, prediction_errors, rank_relation

LEVEL = 0.05
"""Chance of calling something a relation that is none."""
PAPER_SPREAD = 0.7 / 11.8
"""Relative standard deviation of net power over networks and batches that the paper calls constant (as recalled)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the data say of one of the paper's findings."""

    claim: str
    verdict: str
    """`holds`, `does not hold`, `holds in part` or `cannot be decided`."""
    evidence: str
    """The statistic in words."""


def judge_findings(material: Material) -> tuple[Finding, ...]:
    """Return the four findings in the paper's order."""
    return (
        _power(material.shown),
        _hyperbola(material.smallest),
        _energy_bound(material.smallest),
        _operations(material.smallest),
    )


def _power(cells: Sequence[MeasuredCell]) -> Finding:
    claim = "1. Net power is independent of batch size and network"
    used = [(cell, power) for cell in cells if cell.spec and (power := cell.net_power_w)]
    if (few := _few(claim, len(used), len({cell.network for cell, _ in used}))) is not None:
        return few
    powers = np.array([power.value for _, power in used])
    spread = float(powers.std(ddof=1) / abs(powers.mean()))
    chance = _homogeneity(powers, np.array([power.u95 / 2 for _, power in used]))
    by_size = rank_relation(np.array([float(cell.spec.ops) for cell, _ in used if cell.spec]), powers)
    parts = [f"rank correlation with operations {by_size.correlation:+.2f} (p = {by_size.p_value:.2g})"]
    chances, batches = [by_size.p_value], np.array([float(cell.batch_size) for cell, _ in used])
    if np.ptp(batches) > 0:
        by_batch = rank_relation(batches, powers)
        chances.append(by_batch.p_value)
        parts.append(f"with batch size {by_batch.correlation:+.2f} (p = {by_batch.p_value:.2g})")
    else:
        parts.append("batch size cannot be tested, only one was measured")
    related, wide = min(chances) < LEVEL / len(chances), spread > PAPER_SPREAD
    verdict = "does not hold" if related and wide else "holds" if not wide and len(chances) == 2 else "holds in part"
    evidence = (
        f"{len(used)} cells: net power {powers.mean():.3g} W, standard deviation {spread:.1%} of it (the "
        f"paper's about {PAPER_SPREAD:.0%}); {', '.join(parts)}; equal within the uncertainties with "
        f"p = {chance:.2g}. It holds where the spread is no wider than the paper's."
    )
    return Finding(claim=claim, verdict=verdict, evidence=evidence)


def _hyperbola(cells: Sequence[MeasuredCell]) -> Finding:
    claim = "2. Accuracy and inference time are in a hyperbolic relationship"
    used = [(cell.image_s, cell.paper.literature_top1_pct) for cell in cells if cell.paper and cell.image_s]
    if (few := _few(claim, len(used), len(used))) is not None:
        return few
    times, tops = _columns(used)
    hyperbola, line = fit_relation(1 / times, tops), fit_relation(times, tops)
    holds = hyperbola.slope < 0 and hyperbola.p_value < LEVEL and hyperbola.r_squared > line.r_squared
    evidence = (
        f"{len(used)} networks: accuracy over 1/time has R² = {hyperbola.r_squared:.2f} (p = {hyperbola.p_value:.2g}), "
        f"over time itself {line.r_squared:.2f}. It holds where the hyperbola falls, is significant and fits better "
        "than the line. Accuracy is the literature's."
    )
    return Finding(claim=claim, verdict="holds" if holds else "does not hold", evidence=evidence)


def _energy_bound(cells: Sequence[MeasuredCell]) -> Finding:
    claim = "3. An energy constraint bounds accuracy and complexity"
    used = [(c.gross_j.value, c.paper.literature_top1_pct, float(c.spec.ops)) for c in cells if c.paper and c.spec]
    if (few := _few(claim, len(used), len(used))) is not None:
        return few
    energies, tops, operations = _columns(used)
    parts = {"accuracy": rank_relation(energies, tops), "operations": rank_relation(energies, operations)}
    good = [one.correlation > 0 and one.p_value < LEVEL for one in parts.values()]
    verdict = "holds" if all(good) else "holds in part" if any(good) else "does not hold"
    told = ", ".join(f"{name} {one.correlation:+.2f} (p = {one.p_value:.2g})" for name, one in parts.items())
    evidence = (
        f"{len(used)} networks: rank correlation of gross energy per image with {told}. It holds where both rise."
    )
    return Finding(claim=claim, verdict=verdict, evidence=evidence)


def _operations(cells: Sequence[MeasuredCell]) -> Finding:
    claim = "4. The operation count is a reliable estimate of inference time"
    used = [(float(cell.spec.ops), cell.image_s) for cell in cells if cell.spec and cell.image_s]
    if (few := _few(claim, len(used), len(used))) is not None:
        return few
    operations, times = _columns(used)
    line = fit_relation(operations, times)
    error = float(np.median(np.abs(prediction_errors(operations, times))))
    related = line.slope > 0 and line.p_value < LEVEL
    verdict = "holds" if related and line.r_squared >= 0.9 else "holds in part" if related else "does not hold"
    evidence = (
        f"{len(used)} networks: R² = {line.r_squared:.2f} (p = {line.p_value:.2g}); a line through the others misses a "
        f"network's time by {error:.0%} in the median. It holds with R² of 0.9 or more."
    )
    return Finding(claim=claim, verdict=verdict, evidence=evidence)


def _few(claim: str, points: int, networks: int) -> Finding | None:
    if points >= LEAST_POINTS and networks >= LEAST_POINTS:
        return None
    evidence = f"it takes at least {LEAST_POINTS} networks with all values; these runs have {networks}"
    return Finding(claim=claim, verdict="cannot be decided", evidence=evidence)


def _homogeneity(values: NDArray[np.float64], deviations: NDArray[np.float64]) -> float:
    if not (deviations > 0).all():
        return float("nan")
    weights = 1 / deviations**2
    mean = float(weights @ values / weights.sum())
    return chi_squared_survival(float(weights @ (values - mean) ** 2), values.size - 1)


def _columns(rows: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
    return np.array(rows, dtype=np.float64).T
