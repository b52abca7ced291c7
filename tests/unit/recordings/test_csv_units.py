"""Units in headings: wherever people write them; what is not known is never taken for ampere, volt or second."""

from pathlib import Path

import pytest

from instruments.recordings.choice import Choice
from instruments.recordings.csv_units import told_unit, without_unit
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import read_file
from metrology.power import energy_j
from tests.unit.recordings.instrument_files import SAMPLES, current_a, high


@pytest.mark.parametrize(
    ("heading", "base", "scale"),
    [
        ("I [mA]", "a", 1e-3),
        ("Current(uA)", "a", 1e-6),
        ("current_ma", "a", 1e-3),
        ("current_uA_avg", "a", 1e-6),
        ("CURRENT_MA", "a", 1e-3),
        ("Current / mA", "a", 1e-3),
        ("Current, µA", "a", 1e-6),
        ("Current mA", "a", 1e-3),
        ("currentMa", "a", 1e-3),
        ("ImA", "a", 1e-3),
        ("Current (pA)", "a", 1e-12),
        ("Current (milliamps)", "a", 1e-3),
        ("time_ms", "s", 1e-3),
        ("timestampUs", "s", 1e-6),
        ("Time (microseconds)", "s", 1e-6),
        ("supply_mv", "v", 1e-3),
        ("Voltage (V)", "v", 1.0),
        ("Channel A", "", 1.0),
        ("column", "", 1.0),
        ("PS current", "", 1.0),
        ("RMS current", "", 1.0),
        ("Timestamp", "", 1.0),
        ("Voltage", "", 1.0),
        ("Current (MA)", "?", 1.0),
        ("Current (uA rms)", "?", 1.0),
        ("Current (avg)", "?", 1.0),
        ("time_min", "?", 1.0),
        ("Charge (mAh)", "ah", 1.0),
        ("Power (mW)", "w", 1.0),
    ],
)
def test_units_are_found_where_people_write_them(heading: str, base: str, scale: float) -> None:
    told = told_unit(heading)
    assert (told.base, told.scale) == (base, scale)


def test_a_line_of_units_goes_before_the_heading() -> None:
    assert (told_unit("1", "Volt").base, told_unit("x-axis", "second").base) == ("v", "s")
    assert without_unit("I, main [mA]") == "I, main"


def write(folder: Path, heading: str, *, time: float = 1.0, current: float = 1.0, voltage: float = 1.0) -> Path:
    rows = [f"{k * 1e-3 * time:.6f},{current_a(k) * current},{5.0 * voltage},{int(high(k))}" for k in range(SAMPLES)]
    path = folder / "table.csv"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "heading", ["time_ms,current_ma,voltage_mv,busy", "Time ms,Current mA,Voltage mV,busy", "tms,ImA,UmV,busy"]
)
def test_the_energy_is_that_of_the_units_without_brackets(heading: str, tmp_path: Path) -> None:
    path = write(tmp_path, heading, time=1e3, current=1e3, voltage=1e3)
    time, current, voltage, _ = heading.split(",")
    found = read_file(path, Choice(time=time, current=current, voltage=voltage, marker="busy"))
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Time (s),Current (uA rms),U (V),busy", r"Current \(uA rms\) is to be the current.*'uA rms'"),
        ("Time (s),Current (MA),U (V),busy", "'MA' is not one of A, mA, µA, nA"),
        ("Time (h),Current (A),U (V),busy", r"'h' is not one of s.*--rate"),
        ("time_min,Current (A),U (V),busy", "'min' is not one of s"),
        ("Time (s),Current (A),Voltage (mW),busy", "holds no voltage"),
    ],
)
def test_a_unit_that_is_not_known_is_refused(heading: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=text):
        read_file(write(tmp_path, heading), Choice(marker="busy"))


def test_a_time_is_not_taken_for_the_current(tmp_path: Path) -> None:
    found = read_file(write(tmp_path, "Current time (s),I (A),U (V),busy"), Choice(marker="busy"))
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])


def test_a_column_may_be_named_as_it_stands_there(tmp_path: Path) -> None:
    path = write(tmp_path, "t [s],I [mA],I [A],busy", current=1e3, voltage=0.4)
    with pytest.raises(RecordingError, match=r"2 columns 'I'; name one of I \[mA\], I \[A\] as it stands"):
        read_file(path, Choice(supply_v=5.0, marker="busy", time="t", current="I"))
    found = read_file(path, Choice(supply_v=5.0, marker="busy", time="t", current="I [mA]"))
    assert energy_j(found.record, found.windows[0]) == pytest.approx(1.0)


@pytest.mark.parametrize(("per_s", "unit"), [(1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")])
def test_time_stamps_of_a_computers_clock_need_their_unit(per_s: float, unit: str, tmp_path: Path) -> None:
    """A table of such stamps, 1 ms apart, read as seconds has energies that are wrong by that factor."""
    rows = [f"{1_732_600_000 * int(per_s) + int(k * per_s / 1000)},{current_a(k)},5.0" for k in range(SAMPLES)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["timestamp,current,voltage", *rows]) + "\n")
    with pytest.raises(RecordingError, match=f"looks like {unit} since 1970"):
        read_file(path, Choice(), sync="step")
