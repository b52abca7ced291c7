"""Energy comparison: two groups of stored results against each other, as one document and one sentence."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from daemon.errors import StoreError
from daemon.quantity_text import quantity_text
from daemon.result_energy import ResultGroup, find_group
from daemon.store import Store
from metrology.comparison import Comparison, compare

Groups = tuple[ResultGroup, ResultGroup]


def two_groups(store: Store, first: str, second: str) -> Groups:
    """Return the results that two words name, each as `find_group` has it, under names that can be told apart.

    Raises:
        StoreError: nothing of that name was measured, or a run is on both sides.
    """
    groups = _told_apart(find_group(store, first), find_group(store, second), first, second)
    _refuse_common_runs(*groups)
    return groups


def comparison_document(groups: Groups, comparison: Comparison | None = None) -> dict[str, Any]:
    """Return how two groups differ, as JSON values.

    Raises:
        MetrologyError: an energy is not greater than zero.
    """
    if comparison is None:
        comparison = compare(groups[0].energy(), groups[1].energy())
    both = zip(groups, (comparison.first_j, comparison.second_j), strict=True)
    sides = [
        {
            "name": group.name,
            "gross_energy_per_image_j": energy_j,
            "run_ids": [one.run_id for one in group.results],
            "result_ids": [one.result_id for one in group.results],
            "qualities": sorted({one.quality for one in group.results}),
            "degraded": dict(group.degraded),
        }
        for group, energy_j in both
    ]
    return {
        "first": sides[0],
        "second": sides[1],
        "difference_j": _finite(asdict(comparison.difference_j)),
        "relative": _finite(asdict(comparison.relative)),
        "distinguishable": comparison.distinguishable,
        "sentence": sentence_of(comparison, groups[0].name, groups[1].name),
    }


def sentence_of(comparison: Comparison, first: str, second: str) -> str:
    """Return the comparison in one sentence."""
    value, u95 = 100 * comparison.relative.value, 100 * comparison.relative.expanded_uncertainty_95
    if not comparison.distinguishable:
        change = quantity_text(value, u95, unit="%")
        return f"{first} and {second} cannot be told apart: the difference is {change} (95 %)."
    size, more = quantity_text(abs(value), u95, unit="%"), "more" if value > 0 else "less"
    return f"{first} costs {size} {more} than {second} (gross energy per image, 95 %)."


def _told_apart(one: ResultGroup, other: ResultGroup, *words: str) -> Groups:
    """Return two groups under the words they were called by where their names would be the same."""
    if one.name != other.name:
        return one, other
    return replace(one, name=words[0]), replace(other, name=words[1])


def _refuse_common_runs(one: ResultGroup, other: ResultGroup) -> None:
    both = sorted({result.run_id for result in one.results} & {result.run_id for result in other.results})
    if both:
        text = (
            f"run {both[0]!r} is on both sides, so that the difference would lose its part; name other runs on one side"
        )
        raise StoreError(text)


def _finite(quantity: Mapping[str, float]) -> dict[str, float | None]:
    """Return a quantity as JSON can say it: infinite degrees of freedom are null."""
    return {name: None if value == float("inf") else value for name, value in quantity.items()}
