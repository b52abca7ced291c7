"""Result energy: a stored result as something that can be compared, and the group of results that a word names."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from daemon.errors import StoreError
from daemon.records import ResultRecord, RunRecord
from daemon.store import Store
from metrology.comparison import Contribution, MeasuredEnergy, mean_of
from metrology.estimate import Shape
from runners.messages import RunPhase

EVERY_RUN = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultGroup:
    """One result or several, and what to call them."""

    name: str
    """What they have in common, for people."""
    results: tuple[ResultRecord, ...]
    """The results, the newest of each run."""

    @property
    def degraded(self) -> Mapping[str, tuple[str, ...]]:
        """Codes of the reasons why a result is degraded, by run; empty where every one is valid."""
        return {one.run_id: _codes(one) for one in self.results if one.quality == "degraded"}

    def energy(self) -> MeasuredEnergy:
        """Return their mean gross energy per image."""
        return mean_of([_energy_of(one) for one in self.results])


def find_group(store: Store, word: str) -> ResultGroup:
    """Return what a word names: a run, several with commas between, or `NETWORK[:BATCH]` for all runs of a network.

    A run that is named twice counts once: its errors do not average out with themselves.

    Raises:
        StoreError: nothing of that name was measured, or a run that was named has no result to stand on.
    """
    named = {part: store.run(part) for part in word.split(",") if part}
    runs = [run for run in named.values() if run is not None]
    if runs and len(runs) == len(named):
        return _group(store, runs)
    if "," in word:
        missing = [part for part, run in named.items() if run is None]
        raise StoreError(f"there is no run {missing[0]!r}; `joulebench runs list` names those there are")
    return _network_group(store, word)


def _network_group(store: Store, word: str) -> ResultGroup:
    network, _, batch = word.partition(":")
    fitting = [
        run
        for run in store.runs(EVERY_RUN)
        if run.network == network and run.state is RunPhase.DONE and batch in ("", str(run.batch_size))
    ]
    results = [result for run in fitting if (result := store.latest_result(run.run_id)) is not None]
    usable = tuple(one for one in results if _problem(one) is None)
    if not usable:
        raise StoreError(
            f"there is no run, and no network with a usable result, by the name {word!r}; give a run's identifier, "
            "several with commas between, or NETWORK or NETWORK:BATCH"
        )
    return ResultGroup(name=_name(usable), results=usable)


def _group(store: Store, runs: Sequence[RunRecord]) -> ResultGroup:
    results = []
    for run in runs:
        result = store.latest_result(run.run_id)
        if result is None:
            raise StoreError(f"run {run.run_id!r} has no result; it ended as {run.state.value}")
        if (problem := _problem(result)) is not None:
            raise StoreError(f"run {run.run_id!r} cannot be compared: {problem}")
        results.append(result)
    return ResultGroup(name=_name(results), results=tuple(results))


def _problem(result: ResultRecord) -> str | None:
    if result.gross_energy_per_image_j is None:
        return "its energy could not be measured"
    if result.quality == "invalid":
        return f"its result is invalid ({', '.join(_codes(result))})"
    return None


def _codes(result: ResultRecord) -> tuple[str, ...]:
    return tuple(reason["code"] for reason in result.document.get("reasons") or [])


def _name(results: Sequence[ResultRecord]) -> str:
    """Return what results have in common, and in what they are mixed: batch sizes, precisions, boards."""
    networks = " and ".join(sorted({one.network for one in results}))
    sizes = sorted({one.batch_size for one in results})
    facts = [f"batch {sizes[0]}" if len(sizes) == 1 else f"batches {', '.join(map(str, sizes))}"]
    for key, plural in (("precision", "precisions"), ("board", "boards")):
        values = sorted({str(one.document.get(key)) for one in results})
        facts += [f"{plural} {', '.join(values)}"] if len(values) > 1 else []
    if len(results) > 1:
        facts.append(f"{len(results)} runs")
    return f"{networks} ({', '.join(facts)})"


def _energy_of(result: ResultRecord) -> MeasuredEnergy:
    energy_j = result.gross_energy_per_image_j
    contributions = tuple(_contribution(term) for term in result.document.get("budget") or [])
    return MeasuredEnergy(energy_j=math.nan if energy_j is None else energy_j, contributions=contributions)


def _contribution(term: Mapping[str, Any]) -> Contribution:
    """Return a budget line as stored; one from before lines were named stands for an error of its own."""
    freedom = term.get("degrees_of_freedom")
    return Contribution(
        part_j=term["standard_uncertainty_j"] * term.get("sign", 1),
        shape=Shape(term.get("shape", Shape.NORMAL)),
        degrees_of_freedom=math.inf if freedom is None else freedom,
        common=term.get("common"),
        term=term.get("term", ""),
    )
