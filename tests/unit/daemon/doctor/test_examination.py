"""The doctor names each planted defect, and nothing else; what it repairs is whole afterwards."""

import re
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.document import certificate_to_text
from calibration.store import CertificateStore
from daemon.bench_lock import BenchLock
from daemon.doctor.examination import Examination
from daemon.doctor.finding import Diagnosis, FindingCode
from daemon.doctor.repairs import Repairs
from daemon.doctor.scene import Scene
from tests.unit.daemon.doctor.sound_storage import (
    CERTIFICATE_ID,
    RUNS,
    add_unfinished_run,
    configuration_of,
    copy_of,
    files_of,
    store_of,
    write_capture,
)
from tests.unit.daemon.example_result import example_result

Expected = set[tuple[str, str]]


def diagnosis_of(folder: Path, *, held: bool = False, **changes: Any) -> Diagnosis:
    return Examination(Scene.of(configuration_of(folder, **changes), held=held)).diagnosis()


def found_in(folder: Path, **changes: Any) -> Expected:
    return {(one.code.value, one.where) for one in diagnosis_of(folder, **changes).findings}


def execute(folder: Path, statement: str, *values: Any) -> None:
    """Change the database as somebody with a database tool would."""
    connection = sqlite3.connect(folder / "joulebench.sqlite")
    with connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def capture_path(folder: Path, run_id: str, index: int = 0) -> Path:
    return folder / "captures" / f"{run_id}-{index}.parquet"


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file but the database's own, by its path."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("joulebench.sqlite")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def plant_missing(folder: Path, run_id: str) -> Expected:
    path = capture_path(folder, run_id)
    path.unlink()
    return {("capture_missing", str(path))}


def plant_flipped_byte(folder: Path, run_id: str) -> Expected:
    path = capture_path(folder, run_id)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return {("capture_damaged", str(path))}


def plant_cut_short(folder: Path, run_id: str) -> Expected:
    path = capture_path(folder, run_id, 1)
    path.write_bytes(path.read_bytes()[:-1])
    return {("capture_damaged", str(path))}


def plant_folder_in_its_place(folder: Path, run_id: str) -> Expected:
    path = capture_path(folder, run_id)
    path.unlink()
    path.mkdir()
    return {("capture_unreadable", str(path))}


def plant_other_state(folder: Path, run_id: str) -> Expected:
    execute(folder, "UPDATE runs SET state = 'failed', updated_utc_ns = 0 WHERE run_id = ?", run_id)
    return {("state_differs", f"run {run_id}")}


def plant_no_result(folder: Path, run_id: str) -> Expected:
    execute(folder, "DELETE FROM results WHERE run_id = ?", run_id)
    return {("done_without_result", f"run {run_id}")}


def plant_no_row(folder: Path, run_id: str) -> Expected:
    execute(folder, "DELETE FROM captures WHERE capture_id = ?", f"{run_id}-1")
    result = f"result {run_id}-result of run {run_id}"
    return {("capture_stray", str(capture_path(folder, run_id, 1))), ("result_capture_unknown", result)}


def plant_end_otherwise(folder: Path, run_id: str) -> Expected:
    execute(folder, "UPDATE runs SET state = 'interrupted' WHERE run_id = ?", run_id)
    execute(folder, "UPDATE journal SET state = 'interrupted' WHERE run_id = ? AND state = 'done'", run_id)
    return {("result_without_done", f"run {run_id}")}


def plant_unfinished_file(folder: Path, run_id: str) -> Expected:
    path = folder / "captures" / f"{run_id}-9.parquet.part"
    path.write_bytes(b"PAR1 half")
    return {("file_unfinished", str(path))}


def plant_unknown_run(folder: Path, run_id: str) -> Expected:
    return {("capture_stray", str(write_capture(folder, f"no-{run_id}", 0).path))}


def plant_no_capture(folder: Path, run_id: str) -> Expected:
    path = folder / "captures" / f"photo-{run_id}.parquet"
    path.write_bytes(b"not a capture")
    return {("capture_stray", str(path))}


def plant_removed_but_there(folder: Path, run_id: str) -> Expected:
    statement = "UPDATE captures SET removed_utc_ns = 1, removed_reason = 'age' WHERE capture_id = ?"
    execute(folder, statement, f"{run_id}-0")
    return {("capture_not_removed", str(capture_path(folder, run_id)))}


def plant_nothing_by_retention(folder: Path, run_id: str) -> Expected:
    plant_removed_but_there(folder, run_id)
    capture_path(folder, run_id).unlink()
    return set()


PLANTS: tuple[Callable[[Path, str], Expected], ...] = (
    plant_missing,
    plant_flipped_byte,
    plant_cut_short,
    plant_folder_in_its_place,
    plant_other_state,
    plant_no_result,
    plant_no_row,
    plant_end_otherwise,
    plant_unfinished_file,
    plant_unknown_run,
    plant_no_capture,
    plant_removed_but_there,
    plant_nothing_by_retention,
)


def test_a_sound_storage_is_sound_and_everything_in_it_is_counted(storage: Path) -> None:
    before = contents(storage)

    diagnosis = diagnosis_of(storage)

    assert diagnosis.findings == ()
    assert diagnosis.in_hand_of is None
    assert diagnosis.counted == {
        "runs": 7, "captures": 12, "files": 13, "results": 6, "certificates": 1,
        "journal_entries": 6 * 6 + 3,
    }  # fmt: skip
    assert contents(storage) == before


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_each_planted_defect_is_named(storage: Path, plant: Callable[[Path, str], Expected]) -> None:
    assert found_in(storage) == set()
    expected = plant(storage, RUNS[2])
    assert found_in(storage) == expected


@settings(max_examples=12)
@given(
    plants=st.lists(st.sampled_from(PLANTS), min_size=len(RUNS), max_size=len(RUNS)), hit=st.sets(st.sampled_from(RUNS))
)
def test_any_set_of_defects_is_named_exactly_and_repairs_touch_nothing_else(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, plants: list[Callable[[Path, str], Expected]], hit: set[str]
) -> None:
    folder = copy_of(sound, tmp_path_factory.getbasetemp() / "planted")
    expected: Expected = set()
    for run_id, plant in zip(RUNS, plants, strict=True):
        if run_id in hit:
            expected |= plant(folder, run_id)

    diagnosis = diagnosis_of(folder)
    assert {(one.code.value, one.where) for one in diagnosis.findings} == expected
    assert len(diagnosis.findings) == len(expected)

    before = contents(folder)
    repair(folder, diagnosis)
    unfinished = {where for code, where in expected if code == "file_unfinished"}
    removed = {str(Path(where).relative_to(folder)) for where in unfinished}
    assert contents(folder) == {path: content for path, content in before.items() if path not in removed}
    assert found_in(folder) == {(code, where) for code, where in expected if where not in unfinished}


def repair(folder: Path, diagnosis: Diagnosis) -> int:
    with store_of(folder) as store:
        repairs = Repairs(store, files_of(folder))
        return sum(repairs.perform(one) for one in diagnosis.findings)


def test_an_orphan_of_a_known_run_is_adopted_and_can_be_read_by_its_row(storage: Path) -> None:
    reference = write_capture(storage, "given-up", 0)
    diagnosis = diagnosis_of(storage)
    assert [(one.code, one.where) for one in diagnosis.findings] == [(FindingCode.CAPTURE_ORPHAN, str(reference.path))]

    assert repair(storage, diagnosis) == 1

    assert found_in(storage) == set()
    with store_of(storage) as store:
        (row,) = store.captures("given-up")
        assert (row.capture_id, row.sha256, row.size_bytes) == (
            reference.capture_id, reference.sha256, reference.size_bytes
        )  # fmt: skip
        files_of(storage).read(row.name, expected_sha256=row.sha256)
        assert [entry.event for entry in store.journal("given-up")] == ["request", "armed", "shutdown", "repaired"]


@pytest.mark.parametrize(
    ("extra", "name", "objection"),
    [
        ({"run_id": "given-up", "capture_index": 2}, "given-up-2", r"was to have 2 captures, of which 2 is none"),
        ({"run_id": "given-up", "capture_index": None}, "given-up-0", "of which None is none"),
        ({"run_id": RUNS[0], "capture_index": 0}, "again", "run run-0 has another capture 0"),
        ({"run_id": 7, "capture_index": 0}, "seven", "the run it names, 7, is not known"),
        ({}, "nothing", "the run it names, None, is not known"),
    ],
)
def test_what_must_not_be_adopted_is_told_and_left(
    storage: Path, extra: dict[str, Any], name: str, objection: str
) -> None:
    path = write_capture(storage, "given-up", 0, name=name, extra=extra).path

    (finding,) = diagnosis_of(storage).findings

    assert (finding.code, finding.where, finding.repair) == (FindingCode.CAPTURE_STRAY, str(path), None)
    assert re.search(objection, finding.text)
    assert not repair(storage, diagnosis_of(storage))
    assert path.exists()


def test_a_file_under_another_name_is_not_adopted(storage: Path) -> None:
    path = write_capture(storage, "given-up", 0).path
    other = path.rename(path.with_name("copy-of-it.parquet"))

    (finding,) = diagnosis_of(storage).findings

    assert (finding.code, finding.where) == (FindingCode.CAPTURE_STRAY, str(other))
    assert "says that it is capture 'given-up-0', which is not its name" in finding.text


def test_a_file_that_changed_since_it_was_examined_is_not_adopted(storage: Path) -> None:
    path = write_capture(storage, "given-up", 0).path
    diagnosis = diagnosis_of(storage)
    path.write_bytes(path.read_bytes() + b"more")

    with pytest.raises(Exception, match="changed since it was examined"):
        repair(storage, diagnosis)
    with store_of(storage) as store:
        assert store.captures("given-up") == []


@pytest.mark.parametrize(
    ("state", "captured", "code"),
    [
        ("accepted", False, "run_left"),
        ("armed", False, "run_left"),
        ("captured", False, "run_left"),
        ("armed", True, "run_unanalysed"),
        ("analysing", True, "run_unanalysed"),
    ],
)
def test_a_run_that_nobody_has_in_hand_is_ended_unless_something_was_captured(
    storage: Path, state: str, captured: bool, code: str
) -> None:
    with store_of(storage) as store:
        add_unfinished_run(store, "left", state=state)
        if captured:
            store.add_capture("left", 0, write_capture(storage, "left", 0))
    diagnosis = diagnosis_of(storage)
    assert {(one.code.value, one.where) for one in diagnosis.findings} == {(code, "run left")}

    assert repair(storage, diagnosis) == (code == "run_left")

    with store_of(storage) as store:
        left = store.run("left")
        assert left is not None
        assert left.state == ("interrupted" if code == "run_left" else state)
        assert left.reason == ("daemon_stopped" if code == "run_left" else None)
        # the next daemon announces the end
        assert [one.run_id for one in store.unannounced_ends(9) if one.run_id == "left"] == (
            ["left"] if code == "run_left" else []
        )


def test_a_file_that_can_be_adopted_makes_a_run_one_that_can_still_be_computed(storage: Path) -> None:
    with store_of(storage) as store:
        add_unfinished_run(store, "left")
    write_capture(storage, "left", 0)

    assert {code for code, _ in found_in(storage)} == {"capture_orphan", "run_unanalysed"}


def test_a_run_with_a_result_is_left_to_the_daemon_which_ends_it_as_done(storage: Path) -> None:
    with store_of(storage) as store:
        add_unfinished_run(store, "left", state="analysing")
        store.add_result(example_result(run_id="left", result_id="left-result") | {"capture_ids": []})

    assert found_in(storage) == {("run_unanalysed", "run left")}


def test_what_a_daemon_has_in_hand_is_no_finding(storage: Path) -> None:
    with store_of(storage) as store:
        add_unfinished_run(store, "in-hand")
    write_capture(storage, "in-hand", 0)  # its row is about to be entered
    (storage / "captures" / "in-hand-1.parquet.part").write_bytes(b"half")
    (storage / "certificates" / ".gain-2-abc.tmp").write_bytes(b"half")

    with BenchLock(configuration_of(storage)).held("joulebench daemon"):
        diagnosis = diagnosis_of(storage)
    assert diagnosis.findings == ()
    assert diagnosis.in_hand_of is not None
    assert diagnosis.in_hand_of.startswith("joulebench daemon, process")

    codes = [one.code.value for one in diagnosis_of(storage).findings]
    assert codes == ["capture_orphan", "run_unanalysed", "file_unfinished", "file_unfinished"]


def test_files_of_another_bench_at_work_are_left_alone(storage: Path) -> None:
    (storage / "captures" / "theirs-0.parquet.part").write_bytes(b"half")
    lock = BenchLock(configuration_of(storage))
    lock.path = storage / "bench-2.lock"
    with lock.held("joulebench daemon"):
        assert diagnosis_of(storage, held=True).findings == ()


def test_a_run_of_another_bench_is_neither_ended_nor_is_its_file_missed(storage: Path) -> None:
    shared = f"sqlite:///{storage / 'joulebench.sqlite'}"
    execute(storage, "UPDATE runs SET bench = 'bench-2' WHERE run_id = ?", RUNS[0])
    execute(storage, "UPDATE runs SET bench = 'bench-2', state = 'armed' WHERE run_id = 'given-up'")
    execute(storage, "UPDATE journal SET state = NULL WHERE run_id = 'given-up' AND event = 'shutdown'")
    path = capture_path(storage, RUNS[0])
    path.unlink()

    assert found_in(storage, database_url=shared) == set()
    # without a URL the database is this folder's own, and so are all its captures
    assert found_in(storage) == {("capture_missing", str(path))}


def test_a_missing_certificate_is_named_once_with_how_many_results_used_it(storage: Path) -> None:
    path = storage / "certificates" / f"{CERTIFICATE_ID}.json"
    path.unlink()
    (finding,) = diagnosis_of(storage).findings
    assert (finding.code, finding.where) == (FindingCode.CERTIFICATE_MISSING, str(path))
    assert finding.text.startswith("6 results used")


def test_a_certificate_that_was_edited_is_damaged_and_another_of_its_name_differs(storage: Path) -> None:
    path = storage / "certificates" / f"{CERTIFICATE_ID}.json"
    certificate = CertificateStore(path.parent).read(CERTIFICATE_ID)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("ten loads", "two loads"), encoding="utf-8")
    assert found_in(storage) == {("certificate_damaged", str(path))}

    path.write_text(certificate_to_text(replace(certificate, covariance_a=-3e-6)), encoding="utf-8")
    assert found_in(storage) == {("certificate_differs", str(path))}


def test_the_raw_captures_of_a_calibration_are_looked_at(storage: Path) -> None:
    path = storage / "captures" / f"{CERTIFICATE_ID}-00.parquet"
    content = path.read_bytes()
    path.write_bytes(content[:-4] + b"PAR2")
    assert ("certificate_capture_damaged", str(path)) in found_in(storage)
    path.unlink()
    assert found_in(storage) == {("certificate_capture_missing", str(path))}
    path.mkdir()
    assert ("certificate_capture_damaged", str(path)) in found_in(storage)


def test_a_result_computed_after_the_end_is_no_finding(storage: Path) -> None:
    execute(storage, "UPDATE runs SET state = 'failed', updated_utc_ns = 1 WHERE run_id = ?", RUNS[0])
    execute(storage, "UPDATE journal SET state = 'failed' WHERE run_id = ? AND state = 'done'", RUNS[0])
    assert found_in(storage) == set()


def test_a_disk_that_is_nearly_full_is_told(storage: Path) -> None:
    assert found_in(storage, min_free_bytes=10**18) == {("disk_low", str(storage))}


def test_a_row_that_refers_to_nothing_is_told(storage: Path) -> None:
    execute(storage, "INSERT INTO journal (run_id, at_utc_ns, event, detail) VALUES ('ghost', 1, 'x', '{}')")
    (finding,) = diagnosis_of(storage).findings
    assert finding.code is FindingCode.REFERENCE_BROKEN
    assert "journal" in finding.text


@pytest.mark.parametrize("begin", [0, 4096])
def test_a_damaged_database_is_told_and_nothing_is_done_to_it(storage: Path, begin: int) -> None:
    path = storage / "joulebench.sqlite"
    content = bytearray(path.read_bytes())
    content[begin : begin + 8192] = b"\xa5" * 8192
    path.write_bytes(content)

    diagnosis = diagnosis_of(storage)

    codes = {one.code for one in diagnosis.findings}
    assert codes & {FindingCode.DATABASE_UNREADABLE, FindingCode.DATABASE_DAMAGED}
    assert not [one for one in diagnosis.findings if one.repair is not None]
    assert path.read_bytes() == content


def test_a_storage_without_a_database_is_told(tmp_path: Path) -> None:
    (finding,) = diagnosis_of(tmp_path / "nowhere").findings
    assert finding.code is FindingCode.DATABASE_MISSING
    assert finding.where == str(tmp_path / "nowhere" / "joulebench.sqlite")
    assert "start `joulebench daemon`, which makes it" in finding.remedy
    assert not (tmp_path / "nowhere").exists()


def test_captures_without_their_database_are_not_told_to_start_afresh(storage: Path) -> None:
    (storage / "joulebench.sqlite").unlink()
    (finding,) = diagnosis_of(storage).findings
    assert finding.code is FindingCode.DATABASE_MISSING
    assert "restore the last backup" in finding.remedy


def test_a_capture_that_was_renamed_is_to_be_renamed_back(storage: Path) -> None:
    path = storage / "captures" / "run-0-0.parquet"
    renamed = path.rename(path.with_name("old one.parquet"))
    missing, stray = sorted(diagnosis_of(storage).findings, key=lambda one: one.code)
    assert (missing.code, stray.code) == (FindingCode.CAPTURE_MISSING, FindingCode.CAPTURE_STRAY)
    assert stray.text == "is capture 0 of run run-0 to the byte, under another name than run-0-0.parquet"
    assert stray.remedy == f"rename it back: mv '{renamed}' {path}"
    subprocess.run(stray.remedy.removeprefix("rename it back: "), shell=True, check=True)
    assert diagnosis_of(storage).findings == ()


def test_how_far_it_is_is_told(storage: Path) -> None:
    told: list[tuple[str, int, int]] = []
    scene = Scene.of(configuration_of(storage), held=False)
    Examination(scene, lambda *step: told.append(step)).diagnosis()
    assert [step for step in told if step[0] == "captures"] == [("captures", done, 12) for done in range(13)]
    assert told[-1] == ("certificates", 1, 1)
