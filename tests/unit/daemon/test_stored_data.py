"""`joulebench.load`: frames that say what the store says."""

import re
import subprocess
import sys
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


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    with Store(sqlite_url(tmp_path)) as store:
        add_run(store, "one")
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    bench = joulebench.load(tmp_path)
    assert len(bench.runs) == len(bench.results) == 1
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("call", ["joulebench.load", "from joulebench import load"])
def test_without_the_lab_extra_it_says_what_to_install(call: str) -> None:
    """In a process of its own: nothing that stands for a missing package may stay behind in this one."""
    code = f"""
import importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("numpy", "pyarrow", "sqlalchemy", "pandas"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import joulebench
joulebench.run
try:
    {call}
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert re.match(r"joulebench\.load needs (numpy|pyarrow|sqlalchemy), which is not installed here: ", done.stdout)
    assert done.stdout.endswith(': pip install "joulebench[lab]"\n')
