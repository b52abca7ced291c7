"""Finding 1: power is independent of batch size and architecture."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from daemon.report.finding import LEVEL, Finding, Rows, Verdict, chance_text, together, too_few
from daemon.report.measured_cell import MeasuredCell
from daemon.report.number_text import percent
from metrology.excess_spread import ExcessSpread, excess_spread

CLAIM = "1. Net power is independent of batch size and network"
MARGIN = 0.05
"""Largest standard deviation, as a fraction of the mean, that still counts as independent. The use of the claim is to
tell energy from time alone; with 5 % the energy so told is right within 10 % (95 %), which is what data sheets leave
open in the current anyway. It comes from this use, not from any data."""
PAPER_SPREAD = 0.7 / 11.8
"""What the paper calls independent, as recalled: named in the evidence, not used."""
NULL = (
    "Two null hypotheses: networks, or batch sizes within a network, differ in net power by a standard deviation of "
    f"more than {percent(MARGIN)} of its mean, beyond what repeats scatter. Each 95 % interval (Q profile) wholly "
    f"below {percent(MARGIN)}: it holds; one wholly above: it does not."
)


def judge_power(cells: Sequence[MeasuredCell]) -> Finding:
    """Return the verdict on all cells of one setting."""
    used = [(cell, cell.net_power_w) for cell in cells if cell.net_power_w and cell.net_power_w.value > 0]
    networks = list(dict.fromkeys(cell.network for cell, _ in used))
    if (few := too_few(len(networks))) is not None:
        return Finding(claim=CLAIM, verdict=Verdict.UNTOLD, null=NULL, evidence=few)
    powers = np.array([power.value for _, power in used])
    mean_w = float(powers.mean())
    relative, own = powers / mean_w, np.array([cell.own_net_power_w for cell, _ in used]) / mean_w
    names, repeated = [cell.network for cell, _ in used], bool(own.any())
    stated = np.array([power.u95 / 2 for _, power in used]) / mean_w
    architectures, batches = _spreads(relative, own, names) if repeated else _unrepeated(relative, stated, names)
    verdict = together([_verdict(architectures), _verdict(batches)])
    parts = [
        f"{len(used)} cells of {len(networks)} networks: net power {mean_w:.3g} W, standard deviation "
        f"{percent(relative.std(ddof=1), 1)} of it in all (the paper: about {percent(PAPER_SPREAD)}, as recalled)",
        f"between networks {_text(architectures, repeated=repeated)}",
        f"between batch sizes {_text(batches, repeated=repeated)}"
        if batches
        else "batch size cannot be tested: one was measured of each",
    ]
    if not repeated:
        parts.append(
            "nothing was repeated: the lower ends count as difference only what exceeds the powers' own uncertainties, "
            "the upper ends all scatter"
        )
    return Finding(claim=CLAIM, verdict=verdict, null=NULL, evidence="; ".join(parts) + ".")


def _spreads(relative: Rows, own: Rows, names: list[str]) -> tuple[ExcessSpread, ExcessSpread | None]:
    """Return the spread between networks, and between batch sizes; None: one was measured of each."""
    networks = list(dict.fromkeys(names))
    batches = excess_spread(relative, own, names) if len(names) > len(networks) else None
    return _of_networks(relative, own, names, networks, batches), batches


def _unrepeated(relative: Rows, stated: Rows, names: list[str]) -> tuple[ExcessSpread, ExcessSpread | None]:
    """Return the spreads where nothing was repeated, so that nobody knows how well a power repeats.

    Exactly, or only within its own standard uncertainty `stated`: each interval reaches from what the latter leaves,
    from nothing where one is not known, to all that scatters.
    """
    networks, batches = _spreads(relative, stated, names)
    all_networks, all_batches = _spreads(relative, np.zeros_like(stated), names)
    if not stated.all():
        networks = replace(all_networks, low=0.0, p_value=math.nan)
        batches = replace(all_batches, low=0.0, p_value=math.nan) if all_batches else None
    return (
        replace(networks, high=all_networks.high),
        replace(batches, high=all_batches.high) if batches and all_batches else None,
    )


def _of_networks(
    relative: Rows, own: Rows, names: list[str], networks: list[str], batches: ExcessSpread | None
) -> ExcessSpread:
    """Return the spread of the networks' means, each as sure as its batch sizes and repeats leave it."""
    between = 0.0 if batches is None else batches.best
    members = [np.array([one == name for one in names]) for name in networks]
    means = np.array([relative[one].mean() for one in members])
    deviations = [np.sqrt(np.mean(own[one] ** 2 + between**2) / one.sum()) for one in members]
    return excess_spread(means, np.array(deviations))


def _verdict(spread: ExcessSpread | None) -> Verdict:
    if spread is None or spread.low <= MARGIN < spread.high:
        return Verdict.UNTOLD
    return Verdict.HOLDS if spread.high <= MARGIN else Verdict.FAILS


def _text(spread: ExcessSpread, *, repeated: bool) -> str:
    text = f"{percent(spread.best, 1)} (95 %: {percent(spread.low, 1)} to {percent(spread.high, 1)}"
    if not np.isfinite(spread.p_value):
        return f"{text})"
    what = "the repeats explain" if repeated else "their uncertainties explain"
    return f"{text}), {'more' if spread.p_value < LEVEL else 'no more'} than {what} ({chance_text(spread.p_value)})"
