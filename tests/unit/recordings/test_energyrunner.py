"""EnergyRunner recordings: a known one read, and each way in which a file can be wrong."""

import contextlib
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from instruments.recordings.energyrunner import ENERGY_FILE, RESULTS_FILE, TIMESTAMPS_FILE, read_recording
from instruments.recordings.energyrunner_images import images_of_found
from instruments.recordings.errors import RecordingError
from instruments.recordings.recording import Recording
from metrology.errors import JoulebenchError, MetrologyError
from metrology.power import energy_j
from metrology.window import Window
from tests.unit.recordings.example_recording import RESULTS, energy_bytes, write_recording


def refused(directory: Path, *texts: str) -> RecordingError:
    """Return the error of reading, which must hold each text."""
    with pytest.raises(RecordingError) as caught:
        read_recording(directory)
    for text in texts:
        assert text in str(caught.value)
    return caught.value


def test_energies_windows_and_images_of_a_known_recording(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path))
    assert recording.sample_rate_hz == pytest.approx(100.0)
    assert recording.record.bin_count == 10
    assert recording.windows == (Window(start_s=0.02, end_s=0.05), Window(start_s=0.07, end_s=0.09))
    energies_j = [energy_j(recording.record, window) for window in recording.windows]
    assert energies_j == pytest.approx([15e-6, 14e-6], rel=1e-12)
    assert recording.images == (30, 20)
    assert recording.sync == "marker"


def test_works_without_results(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path, results=None))
    assert recording.images == (None, None)


def test_images_of_a_window_that_results_leave_out_are_unknown(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path, results=RESULTS.replace("window 4", "window 3")))
    assert recording.images == (30, None)


def test_a_count_outside_a_performance_section_is_not_taken(tmp_path: Path) -> None:
    results = "Performance results for window 2:\nEnergy data for window 4:\n  # Inferences : 7\n"
    assert read_recording(write_recording(tmp_path, results=results)).images == (None, None)


def test_declared_images_stand_above_results(tmp_path: Path) -> None:
    directory = write_recording(tmp_path, results=RESULTS.replace("30", "thirty"))
    assert read_recording(directory, images_per_window=5).images == (5, 5)
    refused(directory, RESULTS_FILE)


def test_a_missing_folder(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", str(tmp_path / "nowhere"), "no such folder", ENERGY_FILE)


@pytest.mark.parametrize("name", [ENERGY_FILE, TIMESTAMPS_FILE])
def test_a_missing_file(tmp_path: Path, name: str) -> None:
    (write_recording(tmp_path) / name).unlink()
    error = refused(tmp_path, name, "missing")
    assert error.path == tmp_path / name


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (write_recording(tmp_path) / ENERGY_FILE).unlink()
    (tmp_path / ENERGY_FILE).mkdir()
    refused(tmp_path, ENERGY_FILE, "cannot be read")


@pytest.mark.parametrize(
    ("energy", "texts"),
    [
        (b"", ("holds 0 bytes", "header of 5")),
        (b"\xf1\x00\x00", ("holds 3 bytes",)),
        (energy_bytes(tag=0xF0), ("byte 0 is 0xF0", "0xF1")),
        (energy_bytes()[:-1], ("39 bytes follow the header", "truncated")),
        (energy_bytes([]), ("0 bytes follow the header",)),
        (energy_bytes([1.0, math.nan, math.inf]), ("sample 1 is nan uJ", "2 such samples")),
        (energy_bytes(rate_hz=0.0), ("0.0 Hz",)),
        (energy_bytes(rate_hz=-1000.0), ("-1000.0 Hz",)),
        (energy_bytes(rate_hz=math.nan), ("nan Hz",)),
        (energy_bytes(rate_hz=math.inf), ("inf Hz",)),
        (energy_bytes(rate_hz=1e-30), ("must lie in 0.001..1e9 Hz",)),
    ],
)
def test_energy_files_that_cannot_be(tmp_path: Path, energy: bytes, texts: tuple[str, ...]) -> None:
    refused(write_recording(tmp_path, energy=energy), ENERGY_FILE, *texts)


@pytest.mark.parametrize(
    ("stamps", "texts"),
    [
        ({"stamps": []}, ("must be a list", "got a dict")),
        ([], ("got 0 of them",)),
        ([0.01], ("got 1 of them",)),
        ([0.01, 0.02, 0.03, 0.04], ("one of set-up and then pairs", "got 4 of them")),
        ([0.01, "0.02", 0.03], ("time stamp 1", "'0.02'")),
        ([0.01, True, 0.03], ("time stamp 1", "True")),
        ([0.01, 0.02, math.nan], ("time stamp 2", "nan")),
        ([0.01, None, 0.03], ("time stamp 1", "None")),
        ([0.01, 0.05, 0.02], ("must ascend", "0.02 s at 2 after 0.05 s")),
        ([0.01, 0.02, 0.02], ("must ascend",)),
        ([-0.01, 0.02, 0.05], ("outside the 0.1 s",)),
        ([0.01, 0.02, 0.11], ("0.11 s", "outside the 0.1 s", "belong together")),
        ([0.01, 0.02, 10**400], ("time stamp 2", "inf")),
    ],
)
def test_time_stamps_that_cannot_be(tmp_path: Path, stamps: Any, texts: tuple[str, ...]) -> None:
    refused(write_recording(tmp_path, stamps=stamps), TIMESTAMPS_FILE, *texts)


@pytest.mark.parametrize("content", [b"[0.01, 0.02", b"\xff\xfe[", b"[" * 100_000], ids=["cut", "encoding", "depth"])
def test_time_stamps_that_are_not_json(tmp_path: Path, content: bytes) -> None:
    (write_recording(tmp_path) / TIMESTAMPS_FILE).write_bytes(content)
    refused(tmp_path, TIMESTAMPS_FILE, "is not JSON")


def test_a_window_may_end_with_the_last_sample(tmp_path: Path) -> None:
    recording = read_recording(write_recording(tmp_path, stamps=[0.0, 0.07, 0.1]))
    assert energy_j(recording.record, recording.windows[0]) == pytest.approx(15e-6)


@pytest.mark.parametrize("count", ["0", "-3", "2.5", "many", "²", pytest.param("9" * 5000, id="5000 digits")])
def test_counts_that_cannot_be(tmp_path: Path, count: str) -> None:
    results = f"log begins\nPerformance results for window 2:\n  # Inferences : {count}\n"
    refused(write_recording(tmp_path, results=results), RESULTS_FILE, "line 3", "window 2", count)


def test_two_counts_for_one_window(tmp_path: Path) -> None:
    again = "Performance results for window 2:\n  # Inferences : 31\n"
    refused(write_recording(tmp_path, results=RESULTS + again), "line 9", "31 inferences here and 30 before")


def test_a_log_that_is_not_text_tells_nothing(tmp_path: Path) -> None:
    (write_recording(tmp_path) / RESULTS_FILE).write_bytes(bytes(range(256)))
    assert read_recording(tmp_path).images == (None, None)


def test_errors_are_of_the_one_tree_and_say_what_to_where(tmp_path: Path) -> None:
    error = refused(tmp_path / "nowhere")
    assert isinstance(error, JoulebenchError)
    assert (error.instrument, error.operation) == ("EnergyRunner", "read recording")
    assert error.problem in str(error)


def test_a_recording_needs_images_for_each_window(tmp_path: Path) -> None:
    whole = read_recording(write_recording(tmp_path))
    with pytest.raises(MetrologyError, match="one entry for each of 2 windows"):
        Recording(record=whole.record, windows=whole.windows, images=(1,))
    with pytest.raises(MetrologyError, match="at least 1, got 0"):
        Recording(record=whole.record, windows=whole.windows, images=(1, 0))
    with pytest.raises(MetrologyError, match="doubts must be empty or hold one entry for each of 2 windows"):
        Recording(record=whole.record, windows=whole.windows, images=(1, 1), doubts=(None,))


def test_missing_time_stamps_name_the_other_way(tmp_path: Path) -> None:
    (write_recording(tmp_path) / TIMESTAMPS_FILE).unlink()
    refused(tmp_path, TIMESTAMPS_FILE, "missing", "--sync step")


def test_time_stamps_are_not_read_where_steps_are_asked_for(tmp_path: Path) -> None:
    assert read_recording(write_recording(tmp_path, stamps="nonsense"), sync="step").windows == ()


def test_a_record_too_short_for_steps_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=rf"{ENERGY_FILE}: step detection needs three bins"):
        read_recording(write_recording(tmp_path, energy=energy_bytes([1.0, 2.0])), sync="step")


SAME, DIFFERENT = {2: 30, 4: 30, 6: 30}, {2: 30, 4: 20, 6: 10}


@pytest.mark.parametrize(
    ("counts", "confident", "images"),
    [
        (SAME, [True, True, True], (30, 30, 30)),
        (SAME, [True, False, True], (30, None, 30)),
        (SAME, [True, True], (30, 30)),
        (SAME, [True, True, True, False], (30, 30, 30, None)),
        (SAME, [True, True, True, True], (None,) * 4),
        (DIFFERENT, [True, True, True], (30, 20, 10)),
        (DIFFERENT, [True, True], (None, None)),
        (DIFFERENT, [True, False, True], (None,) * 3),
        ({2: 30, 3: 7, 4: 30}, [True, True], (30, 30)),
        ({2: 30, 6: 10}, [True, True], (None, None)),
        ({}, [True], (None,)),
        ({}, [], ()),
    ],
)
def test_found_windows_have_images_where_there_is_no_choice(
    counts: dict[int, int], confident: list[bool], images: tuple[int | None, ...]
) -> None:
    assert images_of_found(counts, confident) == images


def test_written_example_is_what_a_host_writes(tmp_path: Path) -> None:
    write_recording(tmp_path)
    assert json.loads((tmp_path / TIMESTAMPS_FILE).read_text())[0] == 0.01
    assert (tmp_path / ENERGY_FILE).read_bytes()[:5] == b"\xf1\x00\x00\xc8\x42"  # 100.0, little-endian


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1))
def test_random_damage_gives_only_the_declared_error(seed: int, tmp_path: Path) -> None:
    dice, folder = random.Random(seed), write_recording(tmp_path)
    path = folder / dice.choice((ENERGY_FILE, TIMESTAMPS_FILE, RESULTS_FILE))
    content = bytearray(path.read_bytes())
    for _ in range(dice.randint(1, 6)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    path.write_bytes(content[: dice.randint(0, len(content))] if dice.random() < 0.3 else content)
    with contextlib.suppress(RecordingError):  # the one error that is declared
        read_recording(folder)


def test_a_trace_longer_than_any_session_is_refused_unread(tmp_path: Path) -> None:
    folder = write_recording(tmp_path)
    with (folder / ENERGY_FILE).open("r+b") as file:
        file.truncate(10**11)  # a hole on the disk, which nobody may read
    with pytest.raises(RecordingError, match="4194304 samples of 4 are the most"):
        read_recording(folder)
