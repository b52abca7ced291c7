"""Columns of an export: the units in their names, absence told from zero."""

from dataclasses import replace
from typing import Any

import pytest

from daemon.export.result_columns import (
    BOARD_COLUMNS,
    NETWORK_COLUMNS,
    QUANTITIES,
    columns,
    quantity_columns,
    row_of,
)
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from runners.networks.catalogue import network_spec
from runners.networks.paper import PAPER_VALUES
from tests.unit.daemon.example_result import example_result


@pytest.fixture
def store(tmp_path: object) -> Store:
    store = Store(sqlite_url(tmp_path))  # type: ignore[arg-type]
    request = {"board": "tx1", "network": "resnet18", "batch_size": 4, "precision": "fp32", "captures": 2}
    store.create_run(run_id="good", images_planned=None, **request)  # type: ignore[arg-type]
    store.create_run(run_id="bad", images_planned=None, **request)  # type: ignore[arg-type]
    for state in ("armed", "captured", "analysing"):
        store.record("good", event=state, state=state)
    store.add_result(example_result(run_id="good", result_id="r1"))
    store.record("good", event="analysed", state="done")
    store.record("bad", event="refused", state="rejected", reason="supply_tripped")
    return store


def test_a_result_is_one_row_with_all_that_gum_asks_to_report(store: Store) -> None:
    run = store.run("good")
    assert run is not None
    row = row_of(run, store.latest_result("good"))
    assert list(row) == list(columns())
    assert row["gross_energy_per_image_j"] == 0.3141592653589793
    assert row["gross_energy_per_image_standard_uncertainty_j"] == 0.0123 / 2
    assert row["gross_energy_per_image_u95_j"] == 0.0123
    assert row["gross_energy_per_image_degrees_of_freedom"] is None
    assert row["idle_power_u95_w"] == 0.5
    assert (row["quality"], row["reasons"], row["state"]) == ("degraded", "calibration_missing", "done")
    assert (row["capture_ids"], row["certificate_ids"]) == ("good_0 good_1", None)
    assert row["image_duration_s"] is None, "this document says none, and none is made up"


def test_a_run_without_result_says_why_and_has_no_number(store: Store) -> None:
    run = store.run("bad")
    assert run is not None
    row = row_of(run, None)
    assert (row["state"], row["state_reason"], row["quality"]) == ("rejected", "supply_tripped", None)
    measured = {one for base, unit in QUANTITIES.items() for one in quantity_columns(base, unit)} | set(BOARD_COLUMNS)
    assert all(row[name] is None for name in measured)


def test_a_paper_needs_no_second_source_for_a_network(store: Store) -> None:
    run = store.run("good")
    assert run is not None
    spec = network_spec("resnet18")
    row = row_of(run, None)
    assert (row["network_display_name"], row["input_px"]) == (spec.display_name, spec.input_px)
    assert (row["parameters"], row["macs_per_image"], row["operations_per_image"]) == (spec.params, spec.macs, spec.ops)
    assert row["literature_top1_pct"] == PAPER_VALUES["resnet18"].literature_top1_pct
    assert not [name for name in columns() if "top1" in name and not name.startswith("literature_")]


def test_a_network_of_somebodys_own_has_no_facts_made_up(store: Store) -> None:
    run = store.run("good")
    assert run is not None
    row = row_of(replace(run, network="mine"), None)
    assert all(row[name] is None for name in NETWORK_COLUMNS)


@pytest.mark.parametrize(
    ("finished", "device_bytes", "median_s"),
    [
        (None, None, None),
        ({"memory": {"peak_device_bytes": 7}, "times": {"median_ns": 1_500_000}}, 7, 0.0015),
        ({"memory": None, "times": None, "batch_duration_median_ns": 2_000_000}, None, 0.002),
    ],
)
def test_what_the_board_reported_is_in_the_row(
    store: Store, finished: dict[str, Any] | None, device_bytes: int | None, median_s: float | None
) -> None:
    run = store.run("good")
    assert run is not None
    row = row_of(replace(run, finished=finished), None)
    assert (row["memory_peak_device_bytes"], row["batch_duration_median_s"]) == (device_bytes, median_s)
    assert row["memory_peak_process_bytes"] is None
