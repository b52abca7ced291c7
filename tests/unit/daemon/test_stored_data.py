"""`joulebench.load`: frames that say what the store says."""

from pathlib import Path

import numpy as np
import pytest

import joulebench
from daemon.errors import ExportError, StoreError
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from tests.unit.daemon.doctor.sound_storage import files_of
from tests.unit.daemon.stored_runs import add_run


def test_frames_hold_what_was_stored(tmp_path: Path) -> None:
    with Store(sqlite_url(tmp_path)) as store:
        add_run(store, "one", energy_j=0.1 + 0.2)
        add_run(store, "off", energy_j=None, quality="invalid")
    bench = joulebench.load(tmp_path)
    runs = bench.runs.set_index("run_id")
    assert runs.loc["one", "gross_energy_per_image_j"] == 0.1 + 0.2
    assert np.isnan(runs.loc["off", "gross_energy_per_image_j"]), "what was not measured is not 0"
    assert set(bench.results["result_id"]) == {"one-result", "off-result"}
    assert list(bench.budget["term"]) == ["probe gain", "noise"]
    assert set(bench.budget["run_id"]) == {"one"}


def test_an_empty_store_gives_empty_frames(tmp_path: Path) -> None:
    Store(sqlite_url(tmp_path)).close()
    bench = joulebench.load(sqlite_url(tmp_path))
    assert (len(bench.runs), len(bench.results), len(bench.budget)) == (0, 0, 0)
    assert "gross_energy_per_image_u95_j" in bench.runs
    with pytest.raises(ExportError, match="captures=FOLDER"):
        bench.capture("one")


def test_a_capture_is_a_frame(storage: Path) -> None:
    frame = joulebench.load(storage).capture("run-0", 1)
    stored = files_of(storage).read("run-0-1.parquet")
    assert np.array_equal(frame["current_a"][1:], stored.current.values[1:])


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        joulebench.load(tmp_path / "nowhere")
