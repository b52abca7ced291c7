"""CSV as people's computers write it: quotes, decimal commas, BOM, CRLF, comments, other alphabets."""

import re
from pathlib import Path

import pytest

from instruments.recordings.choice import Choice
from instruments.recordings.csv_lines import LINE_LIMIT
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import Format, detect, read_file
from instruments.recordings.recording import Recording
from metrology.errors import MetrologyError
from metrology.power import energy_j
from tests.unit.recordings.instrument_files import SAMPLES, current_a, high

CHOICE = Choice(current="I", voltage="U", marker="busy")


def rows(delimiter: str, *, comma: bool = False) -> list[str]:
    found = []
    for k in range(SAMPLES):
        cells = [f"{k * 1e-3:.3f}", f"{current_a(k) * 1e3:.1f}", "5.0", str(int(high(k)))]
        found.append(delimiter.join(cell.replace(".", ",") if comma else cell for cell in cells))
    return found


def check(content: bytes, folder: Path, choice: Choice = CHOICE) -> Recording:
    path = folder / "table.csv"
    path.write_bytes(content)
    found = read_file(path, choice)
    assert found.sample_rate_hz == pytest.approx(1000.0)
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])
    return found


def table(
    heading: str, lines: list[str], *, end: str = "\n", encoding: str = "utf-8", above: tuple[str, ...] = ()
) -> bytes:
    return (end.join([*above, heading, *lines]) + end).encode(encoding)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_ends_and_byte_order_marks(delimiter: str, end: str, encoding: str, tmp_path: Path) -> None:
    heading = delimiter.join(["time [s]", "I [mA]", "U [V]", "busy"])
    check(table(heading, rows(delimiter), end=end, encoding=encoding), tmp_path)


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_decimal_commas(delimiter: str, tmp_path: Path) -> None:
    heading = delimiter.join(["time [s]", "I [mA]", "U [V]", "busy"])
    check(table(heading, rows(delimiter, comma=True)), tmp_path)


def test_quoted_headings_hold_delimiters(tmp_path: Path) -> None:
    check(table('"time, from the first [s]","I, main [mA]","U [V]","busy"', rows(",")), tmp_path,
          Choice(current="I, main", voltage="U", marker="busy", time="time, from the first"))  # fmt: skip


def test_comments_and_empty_lines(tmp_path: Path) -> None:
    lines = rows(",")
    lines[250:250] = ["", "# paused; resumed", "   "]
    check(table("time [s],I [mA],U [V],busy", lines, above=("# made by a meter, 2026", "", "% firmware 3")), tmp_path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_micro_signs_of_either_encoding(encoding: str, tmp_path: Path) -> None:
    lines = [f"{k * 1e-3:.3f},{current_a(k) * 1e6:.1f},5.0,{int(high(k))}" for k in range(SAMPLES)]
    check(table("time [s],I [µA],U [V],busy", lines, encoding=encoding), tmp_path)


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    check(table("time [s],I [mA],U [V],busy", rows(","))[:-1], tmp_path)


@pytest.mark.parametrize(("one", "zero"), [("X", "0"), ("1", "-"), ("high", "low"), ("TRUE", "FALSE"), ("3.3", "0.1")])
def test_markers_in_words(one: str, zero: str, tmp_path: Path) -> None:
    lines = [f"{k * 1e-3:.3f},{current_a(k)},5.0,{one if high(k) else zero}" for k in range(SAMPLES)]
    check(table("time [s],I [A],U [V],busy", lines), tmp_path)


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "7.5 V", "?"])
@pytest.mark.parametrize(("one", "zero"), [("1", "0"), ("1.0", "0.0"), ("high", "low")])
def test_a_marker_that_is_neither_high_nor_low_is_refused(cell: str, one: str, zero: str, tmp_path: Path) -> None:
    """Taken for low it would part one window into two, whose images nobody counted."""
    lines = [f"{k * 1e-3:.3f},1,5.0,{cell if k == 150 else one if high(k) else zero}" for k in range(SAMPLES)]
    path = tmp_path / "x.csv"
    path.write_bytes(table("time [s],I [A],U [V],busy", lines))
    with pytest.raises(RecordingError, match=rf"line \d+ has the marker {re.escape(repr(cell))} where"):
        read_file(path, CHOICE)


@pytest.mark.parametrize(("unit", "scale"), [("V", 1.0), ("mV", 1e3)])
def test_a_marker_in_volts_is_high_above_that_of_ttl(unit: str, scale: float, tmp_path: Path) -> None:
    lines = [f"{k * 1e-3:.3f},{current_a(k)},5.0,{(3.3 if high(k) else 0.8) * scale}" for k in range(SAMPLES)]
    check(table(f"time [s],I [A],U [V],busy [{unit}]", lines), tmp_path)


@pytest.mark.parametrize("lost", [20, 499 - 100])
def test_one_lost_sample_is_seen(lost: int, tmp_path: Path) -> None:
    lines = rows(",")
    path = tmp_path / "x.csv"
    path.write_bytes(table("time [s],I [mA],U [V],busy", lines[:lost] + lines[lost + 1 :]))
    with pytest.raises(RecordingError, match=rf"sample {lost} is .* samples were lost"):
        read_file(path, CHOICE)


def test_a_voltage_that_is_never_positive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(table("time [s],I [A],U [V],busy", [f"{k * 1e-3:.3f},1,-5.0,{int(high(k))}" for k in range(9)]))
    with pytest.raises(RecordingError, match=r"never above 0 V, -5\.\.-5 V"):
        read_file(path, CHOICE)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [({"supply_v": -5.0}, "--supply must be .* greater"), ({"rate_hz": -1.0}, "--rate"), ({"from_s": -1.0}, "--from")],
)
def test_what_a_person_says_is_named_by_its_option(wrong: dict[str, float], text: str) -> None:
    with pytest.raises(MetrologyError, match=text):
        Choice(**wrong)


def test_nordics_digits_may_be_unknown_or_both(tmp_path: Path) -> None:
    """D2 is the marker; D0 is unknown, D1 both."""
    lines = [f"{k},{current_a(k) * 1e6:.3f},-X{int(high(k))}00000" for k in range(SAMPLES)]
    content = table("Timestamp(ms),Current(uA),D0-D7", lines)
    found = check(content, tmp_path, Choice(supply_v=5.0, marker="D2"))
    assert found.instrument == "ppk2"
    assert found.identity == "Nordic Semiconductor PPK2"


@pytest.mark.parametrize(
    ("heading", "kind"),
    [
        ("Timestamp(ms),Current(uA)", Format.PPK2),
        ("x-axis,1,2", Format.KEYSIGHT),
        ("Timestamp,Arc Main Current (A),Arc Main Voltage (V)", Format.OTII),
        ("t,I,U", Format.CSV),
    ],
)
def test_the_heading_says_whose_table_it_is(heading: str, kind: Format, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{heading}\n1,2,3\n")
    assert detect(path) is kind


def test_the_rate_is_that_of_the_whole_file(tmp_path: Path) -> None:
    """Time stamps rounded to milliseconds at 3 kHz: the longer the file, the less that matters."""
    lines = [f"{round(k / 3, 0) / 1e3:.3f},1.0,5.0" for k in range(200_000)]
    path = tmp_path / "x.csv"
    path.write_bytes(table("time [s],I [A],U [V]", lines))
    found = read_file(path, Choice(current="I", voltage="U", to_s=60.0), sync="step")
    assert found.series is not None
    assert found.series.sample_rate_hz == pytest.approx(3000.0, rel=2e-5)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda lines: [*lines[:100], "0.1,1.0", *lines[100:]], "a row after line 1 is damaged"),
        (lambda lines: [*lines[:100], "0.1,abc,5,0", *lines[100:]], "damaged.*abc"),
        (lambda lines: [*lines[:100], "x" * (5 * LINE_LIMIT), *lines[100:]], r"damaged|longer than"),
        (lambda lines: [*lines[:100], "0.100,1e30,5.0,0", *lines[101:]], r"sample 100 is 1e\+27 A, beyond"),
        (lambda _lines: [], "no rows under its heading"),
        (lambda lines: lines[:1], "time goes on by nan s"),
    ],
)
def test_damaged_rows_are_named(change: object, text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    assert callable(change)
    path.write_bytes(table("time [s],I [mA],U [V],busy", change(rows(","))))
    with pytest.raises(RecordingError, match=text) as caught:
        read_file(path, CHOICE)
    assert "\n" not in str(caught.value)


def test_endless_text_without_a_line_end_is_refused_early(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time [s],I [mA],U [V],busy\n" + "7" * 20_000_000)
    with pytest.raises(RecordingError, match="longer than"):
        read_file(path, CHOICE)


@pytest.mark.parametrize(("per_s", "name"), [(1e3, "milliseconds"), (1e6, "microseconds")])
def test_a_clock_counted_in_parts_of_a_second_is_not_taken_for_seconds(per_s: float, name: str, tmp_path: Path) -> None:
    """An energy a thousand times too large came out of such stamps, and was valid."""
    lines = [f"{(1_764_000_000 + k * 1e-3) * per_s:.0f},{current_a(k)},5.0,{int(high(k))}" for k in range(SAMPLES)]
    path = tmp_path / "x.csv"
    path.write_bytes(table("time,I [A],U [V],busy", lines))
    with pytest.raises(RecordingError, match=rf"looks like {name} since 1970"):
        read_file(path, CHOICE)
