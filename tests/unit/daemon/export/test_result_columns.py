"""Columns of an export: the units in their names, absence told from zero."""

import pytest

from daemon.export.result_columns import columns, row_of
from daemon.sections.storage import sqlite_url
from daemon.store import Store
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
    assert all(row[name] is None for name, kind in columns().items() if kind == "number")
