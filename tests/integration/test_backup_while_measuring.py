"""A backup that is made while runs are measured is one instant of it: restored, it is sound and gives the same bits."""

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.backup.creation import Creation
from daemon.backup.restoration import Restoration
from daemon.backup.shelf import Shelf
from daemon.backup.verification import verify_backup
from daemon.captures import CaptureFiles
from daemon.cli.main import app
from daemon.configuration import Configuration, load_configuration
from daemon.measurement import Measurement
from daemon.store import Store
from tests.unit.daemon.cli.test_reprocess import CONFIGURATION
from tests.unit.daemon.test_measurement import measured_run

DEADLINE_S = 100


class MeasuringBench(threading.Thread):
    """Measures run after run, as a daemon does: files, rows and results, until it is told to stop."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__()
        self._configuration = configuration
        self._told_to_stop = threading.Event()
        self.done: list[str] = []
        self.first_done = threading.Event()

    def run(self) -> None:
        storage = self._configuration.storage
        with Store(storage.url, bench=self._configuration.bench.name) as store:
            files = CaptureFiles(storage.captures_directory)
            measurement = Measurement(self._configuration, store, files, version="9.9")
            while not self._told_to_stop.is_set():
                run_id = f"run-{len(self.done)}"
                measured_run(measurement, store, run_id)
                measurement.result(run_id)
                store.record(run_id, event="analysed", state="done")
                self.done.append(run_id)
                self.first_done.set()

    def stop(self) -> None:
        self._told_to_stop.set()
        self.join(DEADLINE_S)
        assert not self.is_alive()


def bench_in(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "bench.toml"
    path.write_text(CONFIGURATION.replace('directory = "."', 'directory = "."\nmin_free_bytes = 0'), encoding="utf-8")
    return path


def invoke(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == status, result.output
    return result.stdout


@pytest.mark.parametrize("backups", [3])
def test_a_backup_of_a_bench_at_work_is_whole_and_gives_the_same_bits(tmp_path: Path, backups: int) -> None:
    here, there = bench_in(tmp_path / "here"), bench_in(tmp_path / "there")
    bench, shelf = MeasuringBench(load_configuration(here)), Shelf(tmp_path / "backups")
    bench.start()
    try:
        assert bench.first_done.wait(DEADLINE_S)
        for _ in range(backups):
            before = list(bench.done)
            made = Creation(load_configuration(here), shelf, "9.9").create()
            assert verify_backup(made.path) == (made.manifest, ())
            assert made.manifest.lacking == ()
            named = {one.path for one in made.manifest.files}
            assert {f"captures/{run_id}-0.parquet" for run_id in before} <= named
    finally:
        bench.stop()

    Restoration(made.path, load_configuration(there)).restore()
    # A run that was in hand at that instant is one that nobody has in hand here; whatever else is a defect.
    found = CliRunner().invoke(app, ["doctor", "--config", str(there), "--repair", "--json"])
    findings = json.loads(found.stdout)["findings"]
    assert {one["code"] for one in findings} <= {"run_left", "run_unanalysed", "capture_orphan"}
    assert len({one["where"] for one in findings}) <= 2
    measured = json.loads(invoke("runs", "list", "--config", str(there), "--limit", "1000", "--json"))["runs"]
    done = [one["run_id"] for one in measured if one["state"] == "done"]
    assert set(before) <= set(done)
    first = json.loads(invoke("reprocess", *done, "--config", str(there), "--json"))["results"]
    again = json.loads(invoke("reprocess", done[0], "--config", str(here), "--json"))["results"]
    unchanging = [
        {key: value for key, value in one["result"].items() if key not in {"result_id", "at_utc_ns"}}
        for one in (next(one for one in first if one["run_id"] == done[0]), again[0])
    ]
    assert unchanging[0] == unchanging[1]
    twice = json.loads(invoke("reprocess", *done, "--config", str(there), "--json"))["results"]
    assert all(one["identical"] for one in twice)


def test_an_idle_bench_comes_back_sound(tmp_path: Path) -> None:
    here, there = bench_in(tmp_path / "here"), bench_in(tmp_path / "there")
    bench = MeasuringBench(load_configuration(here))
    bench.start()
    assert bench.first_done.wait(DEADLINE_S)
    bench.stop()
    backups = str(tmp_path / "backups")

    made = json.loads(invoke("backup", "create", backups, "--config", str(here), "--json"))
    again = json.loads(invoke("backup", "create", backups, "--config", str(here), "--keep", "1", "--json"))
    assert again["removed"] == [made["backup"]]
    assert again["copied_bytes"] < made["copied_bytes"] == made["size_bytes"]
    assert "are what was written" in invoke("backup", "verify", backups)
    assert json.loads(invoke("backup", "verify", again["backup"], "--json"))["problems"] == []
    assert "files restored into" in invoke("backup", "restore", backups, "--config", str(there))

    assert "sound (" in invoke("doctor", "--config", str(there))
    before = json.loads(invoke("runs", "show", "run-0", "--config", str(here), "--json"))
    assert json.loads(invoke("runs", "show", "run-0", "--config", str(there), "--json")) == before
    invoke("backup", "restore", backups, "--config", str(there), status=1)


def test_what_is_lacking_is_told_by_every_verb(tmp_path: Path) -> None:
    here, there = bench_in(tmp_path / "here"), bench_in(tmp_path / "there")
    bench = MeasuringBench(load_configuration(here))
    bench.start()
    assert bench.first_done.wait(DEADLINE_S)
    bench.stop()
    (tmp_path / "here" / "captures" / "run-0-0.parquet").unlink()
    backups = str(tmp_path / "backups")
    arguments = (
        ("create", backups, "--config", str(here)), ("verify", backups), ("restore", backups, "--config", str(there))
    )  # fmt: skip
    for one, status in zip(arguments, (1, 1, 0), strict=True):
        result = CliRunner().invoke(app, ["backup", *one])
        assert result.exit_code == status
        assert "captures/run-0-0.parquet" in result.stderr
    damaged = next((tmp_path / "backups").glob("joulebench-*")) / "database.sqlite"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    result = CliRunner().invoke(app, ["backup", "verify", backups, "--json"])
    assert result.exit_code == 1
    (problem,) = json.loads(result.stdout)["problems"]
    assert problem.startswith(f"{damaged} is damaged")
