"""Comparison: the difference of two energies with its interval, errors that both share cancelling from it.

Two runs on one bench, calibrated by the same certificates, share most of their errors: a gain that is wrong is wrong
in both. The difference then is known far better than either energy.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from metrology.coverage_interval import expanded_uncertainty_95
from metrology.errors import MetrologyError
from metrology.estimate import Quantity, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One budget term's part in an energy."""

    part_j: float
    """Standard uncertainty that it gives the energy, in joules; negative where the energy falls with the input."""
    shape: Shape = Shape.NORMAL
    """Distribution of the input."""
    degrees_of_freedom: float = math.inf
    """Degrees of freedom of its size."""
    common: str | None = None
    """Name of the error behind it; energies that share the name share the error. None: this energy's own."""
    term: str = ""
    """Line of the budget that it stands in; empty where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEnergy:
    """An energy with its budget."""

    energy_j: float
    """Energy per image, in joules; greater than zero."""
    contributions: tuple[Contribution, ...]
    """Its budget."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.energy_j) and self.energy_j > 0):
            raise MetrologyError(f"an energy to compare must be finite and > 0 J, got {self.energy_j!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How two energies differ."""

    first_j: float
    """The first energy per image (the mean, of a group), in joules."""
    second_j: float
    """The second, in joules."""
    difference_j: Quantity
    """First less second, in joules."""
    relative: Quantity
    """The same relative to the second: 0.03 where the first costs 3 % more."""

    @property
    def distinguishable(self) -> bool:
        """Whether the interval of the difference leaves zero out."""
        return abs(self.relative.value) > self.relative.expanded_uncertainty_95


def mean_of(energies: Sequence[MeasuredEnergy]) -> MeasuredEnergy:
    """Return the mean of a group: common errors stay, random ones average out, but never below the group's own scatter.

    What each has within limits of its own (a drift that was not followed, the delay of a marker) need not average out,
    since nothing says that it differs from run to run: the limits of one line of the budgets are averaged as they are.

    Raises:
        MetrologyError: the group is empty.
    """
    n = len(energies)
    if n == 0:
        raise MetrologyError("a group to compare holds no result")
    if n == 1:
        return energies[0]
    mean_j = sum(one.energy_j for one in energies) / n
    every = [part for one in energies for part in one.contributions]
    shared = [_scaled(part, 1 / n) for part in every if part.common is not None]
    limits = _averaged_limits([_scaled(part, 1 / n) for part in every if _is_own_limit(part)])
    own = [_scaled(part, 1 / n) for part in every if part.common is None and not _is_own_limit(part)]
    scatter_j = math.sqrt(sum((one.energy_j - mean_j) ** 2 for one in energies) / (n - 1) / n)
    if scatter_j > math.sqrt(sum(part.part_j**2 for part in own)):
        own = [Contribution(part_j=scatter_j, degrees_of_freedom=n - 1)]
    return MeasuredEnergy(energy_j=mean_j, contributions=(*_merged(shared), *limits, *own))


def _is_own_limit(part: Contribution) -> bool:
    return part.common is None and part.shape is Shape.RECTANGULAR


def _averaged_limits(parts: Iterable[Contribution]) -> list[Contribution]:
    """Add up the limits of each line of the budget, whatever their signs."""
    lines: dict[str, float] = {}
    for part in parts:
        lines[part.term] = lines.get(part.term, 0.0) + abs(part.part_j)
    return [Contribution(part_j=total_j, shape=Shape.RECTANGULAR, term=term) for term, total_j in lines.items()]


def compare(first: MeasuredEnergy, second: MeasuredEnergy) -> Comparison:
    """Compare two energies."""
    ratio = first.energy_j / second.energy_j
    return Comparison(
        first_j=first.energy_j,
        second_j=second.energy_j,
        difference_j=_quantity(first.energy_j - second.energy_j, _differing(first, second, factors=(1.0, 1.0))),
        # d(A/B) = dA/B - (A/B)·dB/B: what scales both alike cancels altogether
        relative=_quantity(
            ratio - 1, _differing(first, second, factors=(1 / second.energy_j, ratio / second.energy_j))
        ),
    )


def _differing(first: MeasuredEnergy, second: MeasuredEnergy, *, factors: tuple[float, float]) -> list[Contribution]:
    """Return the parts of `factor1·first - factor2·second`, those of a common error put together."""
    plus = [_scaled(part, factors[0]) for part in first.contributions]
    minus = [_scaled(part, -factors[1]) for part in second.contributions]
    return _merged([*plus, *minus])


def _scaled(part: Contribution, factor: float) -> Contribution:
    return replace(part, part_j=part.part_j * factor)


def _merged(parts: Iterable[Contribution]) -> list[Contribution]:
    """Add up the parts of each common error; those of no common error stay apart."""
    own: list[Contribution] = []
    shared: dict[str, Contribution] = {}
    for part in parts:
        if part.common is None:
            own.append(part)
            continue
        before = shared.get(part.common)
        total_j = part.part_j + (0.0 if before is None else before.part_j)
        shared[part.common] = replace(part, part_j=total_j)
    return [*shared.values(), *own]


def _quantity(value: float, parts: Sequence[Contribution]) -> Quantity:
    limits = [part.part_j for part in parts if part.shape is Shape.RECTANGULAR]
    random = [part for part in parts if part.shape is not Shape.RECTANGULAR]
    variance = sum(part.part_j**2 for part in random)
    spent = sum(part.part_j**4 / part.degrees_of_freedom for part in random)
    whole = variance + sum(part**2 for part in limits)
    freedom = variance**2 / spent if spent > 0 else math.inf
    return Quantity(
        value=value,
        standard_uncertainty=math.sqrt(whole),
        degrees_of_freedom=whole**2 / spent if spent > 0 else math.inf,
        expanded_uncertainty_95=expanded_uncertainty_95(
            half_widths=[abs(part) * math.sqrt(3) for part in limits],
            random_deviation=math.sqrt(variance),
            degrees_of_freedom=freedom,
        ),
    )
