"""The marker of a table: numbers or words in the whole file; a cell that is neither is refused with its line."""

from pathlib import Path

import pytest

from instruments.recordings import csv_lines
from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import read_file
from metrology.window import Window
from tests.unit.recordings.instrument_files import SAMPLES, high


def read(
    folder: Path,
    *,
    one: str,
    zero: str,
    changed: dict[int, str] | None = None,
    column: str = "busy",
    marker: str = "busy",
    above: str = "",
) -> tuple[Window, ...]:
    path = folder / "x.csv"
    cells = [(changed or {}).get(k, one if high(k) else zero) for k in range(SAMPLES)]
    rows = [f"{k * 1e-3:.3f},1.0,{cell}" for k, cell in enumerate(cells)]
    path.write_text("\n".join([f"{above}time [s],I [A],{column}", *rows]) + "\n")
    return read_file(path, Choice(supply_v=5.0, marker=marker)).windows


@pytest.mark.parametrize(
    ("one", "zero", "cell"),
    [
        ("3.3", "0.1", ""),
        ("3.3", "0.1", "-"),
        ("3.3", "0.1", "nan"),
        ("3.3", "0.1", "high"),
        ("1", "0", ""),
        ("1", "0", "?"),
        ("high", "low", ""),
        ("X", "-", "3.3"),
        ("busy", "idle", "busy"),
    ],
)
@pytest.mark.parametrize("at", [350, 499])
def test_a_cell_that_says_nothing_is_refused(one: str, zero: str, cell: str, at: int, tmp_path: Path) -> None:
    line = at + 2 if (one, zero) != ("busy", "idle") else 2
    with pytest.raises(RecordingError, match=rf"x\.csv: line {line} has the marker '.*' where the column holds "):
        read(tmp_path, one=one, zero=zero, changed={at: cell})


@pytest.mark.parametrize("block", [500, 1 << 22])
@pytest.mark.parametrize(("cell", "count"), [("X", 2), ("-", 3), ("1", 2)])
def test_words_may_come_late(
    cell: str, count: int, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_lines, "_BLOCK_CHARACTERS", block)
    assert len(read(tmp_path, one="1", zero="0", changed={350: cell})) == count


def test_the_line_is_counted_with_comments(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="line 354 has the marker ''"):
        read(tmp_path, one="3.3", zero="0", changed={350: ""}, above="# a meter\n\n")


@pytest.mark.parametrize("cell", ["", "1.00E+07", "100000000", "2"])
def test_eight_digits_in_one_cell(cell: str, tmp_path: Path) -> None:
    def digits(changed: dict[int, str]) -> tuple[Window, ...]:
        return read(tmp_path, one="10000000", zero="0", changed=changed, column="D0-D7", marker="D0")

    assert len(digits({})) == 2
    with pytest.raises(RecordingError, match="line 352 has the marker"):
        digits({350: cell})


def test_a_quoted_delimiter_moves_no_column(tmp_path: Path) -> None:
    rows = [f'"a,{k % 2}",{k * 1e-3:.3f},0.5,{int(high(k))}' for k in range(SAMPLES)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["note,time,current,marker", *rows]) + "\n")
    found = read_file(path, Choice(supply_v=5.0, marker="marker")).windows
    assert [one.start_s for one in found] == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize(
    ("row", "text"), [('"a,0.350,0.5,1', "damaged|not closed"), ("a,0.350,0.5", "line 352 has no")]
)
def test_rows_that_are_not_parted_are_named(row: str, text: str, tmp_path: Path) -> None:
    rows = [f"a,{k * 1e-3:.3f},0.5,{int(high(k))}" for k in range(SAMPLES)]
    rows[350] = row
    path = tmp_path / "x.csv"
    path.write_text("\n".join(["note,time,current,marker", *rows]) + "\n")
    with pytest.raises(RecordingError, match=text):
        read_file(path, Choice(supply_v=5.0, marker="marker"))
