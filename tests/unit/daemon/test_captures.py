import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from metrology.capture import Capture
from metrology.timebase import TimeBase
from metrology.trace import Trace
from tests.unit.daemon.example_capture import example_capture


@pytest.fixture
def files(tmp_path: Path) -> CaptureFiles:
    return CaptureFiles(tmp_path / "captures")


def assert_same_trace(found: Trace | None, expected: Trace | None) -> None:
    if expected is None or found is None:
        assert found is expected
        return
    assert found.counts.dtype == expected.counts.dtype
    assert found.counts.tobytes() == expected.counts.tobytes()
    assert (found.scale, found.unit) == (expected.scale, expected.unit)
    assert found.clip_low_counts == expected.clip_low_counts
    assert found.clip_high_counts == expected.clip_high_counts


def assert_same_capture(found: Capture, expected: Capture) -> None:
    assert_same_trace(found.current, expected.current)
    assert_same_trace(found.voltage, expected.voltage)
    if expected.marker_pod_counts is None or found.marker_pod_counts is None:
        assert found.marker_pod_counts is expected.marker_pod_counts
    else:
        assert found.marker_pod_counts.dtype == np.uint8
        assert found.marker_pod_counts.tobytes() == expected.marker_pod_counts.tobytes()
    assert found.time_base == expected.time_base
    assert found.marker_bit == expected.marker_bit
    assert dict(found.settings) == dict(expected.settings)
    assert dict(found.instruments) == dict(expected.instruments)
    assert found.triggered_utc_ns == expected.triggered_utc_ns


@pytest.mark.parametrize("voltage", [True, False])
@pytest.mark.parametrize("marker", [True, False])
def test_a_capture_comes_back_bit_for_bit(
    files: CaptureFiles, rng: np.random.Generator, voltage: bool, marker: bool
) -> None:
    capture = example_capture(rng, count=100_000, voltage=voltage, marker=marker)

    reference = files.write("run-1_0", capture, {})

    assert_same_capture(files.read(reference.name), capture)
    assert_same_capture(files.read(reference.path, expected_sha256=reference.sha256), capture)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    codes=st.lists(st.integers(0, 0xFFFF), min_size=2, max_size=300),
    interval_s=st.floats(1e-9, 1e3),
    origin_s=st.floats(-1e6, 1e6),
)
def test_any_codes_and_any_time_base_come_back(
    tmp_path: Path, codes: list[int], interval_s: float, origin_s: float
) -> None:
    files = CaptureFiles(tmp_path)
    template = example_capture(np.random.default_rng(0), count=3, voltage=False, marker=False)
    time_base = TimeBase(origin_s=origin_s, interval_s=interval_s, sample_count=len(codes))
    current = Trace(
        counts=np.array(codes, dtype=np.uint16),
        scale=template.current.scale,
        unit=template.current.unit,
        clip_low_counts=1,
        clip_high_counts=0xFFFF,
    )
    capture = Capture(time_base=time_base, current=current, marker_pod_counts=None)
    files.path("same.parquet").unlink(missing_ok=True)

    assert_same_capture(files.read(files.write("same", capture, {}).name), capture)


def test_the_reference_says_what_lies_on_the_disk(files: CaptureFiles, rng: np.random.Generator) -> None:
    reference = files.write("run-1_0", example_capture(rng), {})

    content = reference.path.read_bytes()
    assert reference.path == files.directory / "run-1_0.parquet"
    assert (reference.capture_id, reference.name) == ("run-1_0", "run-1_0.parquet")
    assert reference.size_bytes == len(content)
    assert reference.sha256 == hashlib.sha256(content).hexdigest()


def test_a_record_of_eight_bit_codes_is_small(files: CaptureFiles, rng: np.random.Generator) -> None:
    # Noise of four codes has 4 bits of entropy a sample, 50 kB a record.
    codes = (rng.normal(128, 4, size=100_000).round().clip(1, 255) * 256).astype(np.uint16)
    capture = example_capture(rng, count=100_000, voltage=False, marker=False)
    capture = replace(capture, current=replace(capture.current, counts=codes))

    assert files.write("run-1_0", capture, {}).size_bytes < 70_000


def test_the_description_holds_what_was_added(files: CaptureFiles, rng: np.random.Generator) -> None:
    extra = {"run_id": "run-1", "supply": {"voltage_v": 18.9987, "mode": "CV"}, "capture_index": 0}

    reference = files.write("run-1_0", example_capture(rng), extra)

    description = files.describe(reference.name)
    assert description["extra"] == extra
    assert description["capture_id"] == "run-1_0"
    assert description["time_base"]["sample_count"] == 1000
    assert description["settings"][":TIMebase:RANGe"] == "+2.00000000E+000"


def test_a_capture_is_never_overwritten(files: CaptureFiles, rng: np.random.Generator) -> None:
    first = files.write("run-1_0", example_capture(rng), {})
    before = first.path.read_bytes()

    with pytest.raises(CaptureFileError, match=r"run-1_0\.parquet.*never overwritten"):
        files.write("run-1_0", example_capture(rng), {})

    assert first.path.read_bytes() == before


@pytest.mark.parametrize("capture_id", ["", "../escape", "a/b", "a.b", "ä", "x" * 65, "a\n"])
def test_an_identifier_that_is_no_file_name_is_refused(
    files: CaptureFiles, rng: np.random.Generator, capture_id: str
) -> None:
    with pytest.raises(CaptureFileError, match="capture_id"):
        files.write(capture_id, example_capture(rng), {})

    assert not files.directory.exists()


@pytest.mark.parametrize("bad", [{"value": float("nan")}, {"value": object()}])
def test_what_is_no_json_is_refused_and_leaves_nothing(
    files: CaptureFiles, rng: np.random.Generator, bad: dict[str, object]
) -> None:
    with pytest.raises(CaptureFileError, match="cannot write"):
        files.write("run-1_0", example_capture(rng), bad)

    assert list(files.directory.iterdir()) == []


def test_a_full_disk_is_an_error_that_names_the_file_and_leaves_nothing(
    files: CaptureFiles, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(CaptureFileError, match=r"run-1_0\.parquet.*No space left") as caught:
        files.write("run-1_0", example_capture(rng), {})

    assert (caught.value.operation, caught.value.path.name) == ("write", "run-1_0.parquet")
    assert list(files.directory.iterdir()) == []


def test_the_file_gets_its_name_only_after_it_was_synced(
    files: CaptureFiles, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, list[str]]] = []
    sync = os.fsync

    def watching(descriptor: int) -> None:
        what = Path(f"/proc/self/fd/{descriptor}").readlink().name
        seen.append((what, sorted(path.name for path in files.directory.iterdir())))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watching)
    files.write("run-1_0", example_capture(rng), {})

    unfinished = "run-1_0.parquet.part"
    assert seen == [(unfinished, [unfinished]), (files.directory.name, ["run-1_0.parquet"])]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path, rng: np.random.Generator) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(CaptureFileError, match="file/captures/run-1_0"):
        CaptureFiles(tmp_path / "file" / "captures").write("run-1_0", example_capture(rng), {})


def test_what_a_crash_left_is_removed(files: CaptureFiles, rng: np.random.Generator) -> None:
    kept = files.write("run-1_0", example_capture(rng), {})
    (files.directory / "run-1_1.parquet.part").write_bytes(b"half")

    assert files.remove_unfinished() == ["run-1_1.parquet.part"]
    assert list(files.directory.iterdir()) == [kept.path]
    assert files.remove_unfinished() == []


def test_free_space_is_that_of_the_disk(files: CaptureFiles) -> None:
    status = os.statvfs(files.directory.parent)

    assert files.free_bytes() == pytest.approx(status.f_bavail * status.f_frsize, rel=0.05)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"nothing like it" * 100])
def test_a_file_that_is_no_capture_is_refused(files: CaptureFiles, content: bytes) -> None:
    files.directory.mkdir()
    files.path("strange.parquet").write_bytes(content)

    for read in (files.read, files.describe):
        with pytest.raises(CaptureFileError, match=r"cannot read capture file .*strange\.parquet"):
            read("strange.parquet")


def test_a_missing_file_is_named(files: CaptureFiles) -> None:
    with pytest.raises(CaptureFileError, match=r"gone\.parquet"):
        files.read("gone.parquet")
    with pytest.raises(CaptureFileError, match=r"gone\.parquet"):
        files.read("gone.parquet", expected_sha256="0" * 64)


def test_another_programs_parquet_file_is_refused(files: CaptureFiles) -> None:
    files.directory.mkdir()
    pq.write_table(pa.table({"current_counts": [1, 2]}), files.path("other.parquet"))

    with pytest.raises(CaptureFileError, match="is no capture"):
        files.read("other.parquet")


def rewritten(path: Path, *, column: str | None = None, description: dict[str, object] | None = None) -> None:
    """Change a stored capture as a careless tool would: the file stays a good Parquet file."""
    table = pq.read_table(path)
    metadata = dict(table.schema.metadata)
    if column is not None:
        codes = table[column].to_numpy().copy()
        codes[-1] ^= 1
        table = table.set_column(table.column_names.index(column), column, pa.array(codes))
    if description is not None:
        metadata[b"joulebench"] = json.dumps(json.loads(metadata[b"joulebench"]) | description).encode()
    pq.write_table(table.replace_schema_metadata(metadata), path)


@pytest.mark.parametrize("column", ["current_counts", "voltage_counts", "marker_pod_counts"])
def test_one_changed_sample_is_found_and_its_column_named(
    files: CaptureFiles, rng: np.random.Generator, column: str
) -> None:
    reference = files.write("run-1_0", example_capture(rng), {})
    rewritten(reference.path, column=column)

    with pytest.raises(CaptureFileError, match=rf"run-1_0\.parquet: column {column} is damaged"):
        files.read(reference.name)


def test_a_changed_scale_is_found(files: CaptureFiles, rng: np.random.Generator) -> None:
    reference = files.write("run-1_0", example_capture(rng), {})
    rewritten(reference.path, description={"marker_bit": 0})

    for read in (files.read, files.describe):
        with pytest.raises(CaptureFileError, match="description is damaged"):
            read(reference.name)


def test_a_file_other_than_the_referenced_one_is_refused(files: CaptureFiles, rng: np.random.Generator) -> None:
    first = files.write("run-1_0", example_capture(rng), {})
    other = files.write("run-1_1", example_capture(rng), {})

    with pytest.raises(CaptureFileError, match=f"its reference says {first.sha256}"):
        files.read(other.name, expected_sha256=first.sha256)


def test_no_flipped_byte_changes_a_capture_unseen(files: CaptureFiles, rng: np.random.Generator) -> None:
    capture = example_capture(rng, count=64)
    reference = files.write("run-1_0", capture, {})
    content = reference.path.read_bytes()
    refused = 0
    for position in rng.choice(len(content), size=400, replace=False):
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        reference.path.write_bytes(damaged)
        try:
            found = files.read(reference.name)
        except CaptureFileError:
            refused += 1
        else:
            assert_same_capture(found, capture)
    assert refused > 200


def test_a_file_cut_short_anywhere_is_refused(files: CaptureFiles, rng: np.random.Generator) -> None:
    reference = files.write("run-1_0", example_capture(rng, count=64), {})
    content = reference.path.read_bytes()

    for length in rng.integers(0, len(content), size=50):
        reference.path.write_bytes(content[:length])
        with pytest.raises(CaptureFileError):
            files.read(reference.name)


def test_neither_writing_nor_reading_loads_pandas(tmp_path: Path, repository: Path) -> None:
    """The daemon stays small, and its first capture is as fast as any other."""
    program = f"""
import sys
from pathlib import Path
import numpy as np
from daemon.captures import CaptureFiles
from tests.unit.daemon.example_capture import example_capture
files = CaptureFiles(Path({str(tmp_path)!r}))
name = files.write("a", example_capture(np.random.default_rng(1)), {{}}).name
files.describe(name), files.read(name)
sys.exit("pandas is loaded" if "pandas" in sys.modules else 0)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
