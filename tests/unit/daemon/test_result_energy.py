"""Result energy: which results a word names, and what of a stored budget can be compared."""

from pathlib import Path
from typing import Any

import pytest

from daemon.errors import StoreError
from daemon.result_energy import find_group
from daemon.store import Store
from metrology.comparison import compare
from tests.unit.daemon.stored_runs import add_run


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path / 'runs.sqlite'}")
    add_run(made, "a1", energy_j=1.00)
    add_run(made, "a2", energy_j=1.02)
    add_run(made, "b1", network="resnet18", energy_j=0.97)
    add_run(made, "b4", network="resnet18", batch_size=4, energy_j=0.50)
    add_run(made, "bad", energy_j=9.0, quality="invalid")
    add_run(made, "none", energy_j=None)
    return made


@pytest.mark.parametrize(
    ("word", "runs", "name"),
    [
        ("a1", {"a1"}, "alexnet (batch 1)"),
        ("a1,a2", {"a1", "a2"}, "alexnet (batch 1, 2 runs)"),
        ("a1,a1,a2", {"a1", "a2"}, "alexnet (batch 1, 2 runs)"),
        ("alexnet", {"a1", "a2"}, "alexnet (batch 1, 2 runs)"),
        ("resnet18:4", {"b4"}, "resnet18 (batch 4)"),
        ("resnet18", {"b1", "b4"}, "resnet18 (batches 1, 4, 2 runs)"),
    ],
)
def test_words(store: Store, word: str, runs: set[str], name: str) -> None:
    group = find_group(store, word)
    assert {one.run_id for one in group.results} == runs
    assert group.name == name


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("vgg16", "no network with a usable result"),
        ("resnet18:8", "no network with a usable result"),
        ("a1,nobody", "no run 'nobody'"),
        ("bad", r"invalid \(probe_dead\)"),
        ("none", "could not be measured"),
    ],
)
def test_words_that_name_nothing_comparable(store: Store, word: str, text: str) -> None:
    with pytest.raises(StoreError, match=text):
        find_group(store, word)


def test_named_errors_cancel_and_nameless_ones_do_not(store: Store) -> None:
    sure = compare(find_group(store, "a1").energy(), find_group(store, "b1").energy())
    assert sure.relative.standard_uncertainty == pytest.approx(2**0.5 * 0.001, rel=0.05)
    add_run(store, "old", energy_j=1.0, budget_changes={"common": None})
    unsure = compare(find_group(store, "old").energy(), find_group(store, "b1").energy())
    assert unsure.relative.standard_uncertainty > 10 * sure.relative.standard_uncertainty


def test_a_run_without_result(store: Store) -> None:
    facts: dict[str, Any] = {"board": "b", "network": "enet", "batch_size": 1, "precision": "fp32"}
    store.create_run(run_id="open", images_planned=None, captures=1, **facts)
    with pytest.raises(StoreError, match="has no result; it ended as accepted"):
        find_group(store, "open")


def test_a_run_that_is_named_twice_narrows_nothing(store: Store) -> None:
    once, twice = find_group(store, "a1").energy(), find_group(store, "a1,a1").energy()
    assert once == twice


def test_a_group_says_in_what_it_is_mixed(store: Store) -> None:
    add_run(store, "v1", network="vgg16", board="tx1")
    add_run(store, "v2", network="vgg16", board="nano", precision="fp16", quality="degraded")
    group = find_group(store, "vgg16")
    assert group.name == "vgg16 (batch 1, precisions fp16, fp32, boards nano, tx1, 2 runs)"
    assert group.degraded == {"v2": ("drift",)}


def test_limits_of_a_line_stay_as_they_are_in_a_group(store: Store) -> None:
    limits = {"term": "zero drift", "common": None, "shape": "rectangular"}
    for name in ("w1", "w2", "w3"):
        add_run(store, name, network="wide", budget_changes=limits)
    (drift,) = [one for one in find_group(store, "wide").energy().contributions if one.term == "zero drift"]
    assert drift.part_j == pytest.approx(0.02)
