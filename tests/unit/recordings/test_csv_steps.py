"""Lost stretches of a table: found wherever they lie, and good files with coarse times are taken."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from instruments.recordings import csv_lines
from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import read_file

Print = Callable[[float], str]


def read(path: Path, rows: Iterable[int], interval_s: float, show: Print) -> int:
    """Write the rows of these numbers, read the file and return how many samples were found."""
    with path.open("w") as file:
        file.write("time_s,current_a\n")
        file.writelines(f"{show(k * interval_s)},1.0\n" for k in rows)
    found = read_file(path, Choice(supply_v=5.0, means=True), sync="step")
    assert found.series is not None
    return found.series.energies_j.size * found.series.samples_per_bin


def lost(total: int, *at: int, count: int = 1) -> list[int]:
    gone = {k + n for k in at for n in range(count)}
    return [k for k in range(total) if k not in gone]


def milliseconds(time_s: float) -> str:
    return f"{time_s:.3f}"


def six_digits(time_s: float) -> str:
    return f"{time_s:.6g}"


@pytest.mark.parametrize("at", [1000, 300_005])
def test_a_lost_stretch_late_in_a_long_file_is_named(at: int, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=rf"sample {at} is 0.0026 s after the one before, where 0.0001 s are due"):
        read(tmp_path / "x.csv", lost(310_000, at, count=25), 1e-4, lambda time_s: f"{time_s:.6f}")


@pytest.mark.parametrize("show", [repr, milliseconds, six_digits], ids=["repr", "milliseconds", "six digits"])
@pytest.mark.parametrize("at", [1, 250, 498])
def test_one_lost_sample_is_found_where_times_are_counted(show: Print, at: int, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=f"sample {at} is 0.002 s after the one before"):
        read(tmp_path / "x.csv", lost(500, at), 1e-3, show)


@pytest.mark.parametrize("at", [398, 399, 400, 401, 402])
def test_a_sample_lost_where_two_blocks_meet_is_found(at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_lines, "_BLOCK_CHARACTERS", 4000)  # 400 rows and the heading
    with pytest.raises(RecordingError, match=f"sample {at} is 0.002 s after"):
        read(tmp_path / "x.csv", lost(1000, at), 1e-3, milliseconds)


@pytest.mark.parametrize(
    ("rate_hz", "show"),
    [
        (1000.0, milliseconds),
        (998.0, milliseconds),
        (1003.0, milliseconds),
        (1500.0, milliseconds),
        (3000.0, milliseconds),
        (1000.0, six_digits),  # from 1000 s on a digit is ten samples
        (4000.0, six_digits),
        (3000.0, lambda time_s: f"{time_s:.5e}"),
        (1000.0, lambda time_s: f"{time_s - 60.0:.5e}"),
        (7.0, lambda time_s: f"{time_s:g}"),
    ],
)
def test_good_files_with_rounded_times_are_taken(
    rate_hz: float, show: Print, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_lines, "_BLOCK_CHARACTERS", 1 << 19)
    first = 950_000 if show is six_digits else 0  # so that digits grow coarser on the way
    assert read(tmp_path / "x.csv", range(first, first + 60_000), 1 / rate_hz, show) > 59_000


def test_lost_samples_that_coarse_digits_hide_add_up(tmp_path: Path) -> None:
    """Every fourth sample of some is lost at 3 kHz with times in milliseconds: no step alone shows it."""
    with pytest.raises(RecordingError, match="after the one 64 before"):
        read(tmp_path / "x.csv", lost(200_000, *range(150_000, 150_400, 4)), 1 / 3000, milliseconds)


def test_time_that_goes_back_is_refused(tmp_path: Path) -> None:
    rows = list(range(500))
    rows[300], rows[301] = rows[301], rows[300]
    with pytest.raises(RecordingError, match=r"sample 300 is 0.002 s after the one before"):
        read(tmp_path / "x.csv", rows, 1e-3, milliseconds)
