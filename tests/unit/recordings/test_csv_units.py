"""Units of a table's columns: every usual spelling gives the same energy, and what is not known is refused."""

from pathlib import Path

import pytest

from instruments.recordings.choice import Choice
from instruments.recordings.errors import RecordingError
from instruments.recordings.formats import read_file
from instruments.recordings.recording import Recording
from metrology.power import energy_j
from tests.unit.recordings.instrument_files import SAMPLES, current_a, high


def read(
    folder: Path, heading: str, *, scales: tuple[float, float, float] = (1.0, 1.0, 1.0), choice: Choice | None = None
) -> Recording:
    """Read time, current, voltage and marker, in units of this many seconds, amperes and volts."""
    rows = [
        f"{k * 1e-3 / scales[0]:.12g},{current_a(k) / scales[1]:.12g},{5.0 / scales[2]:.12g},{3.3 * high(k)}"
        for k in range(SAMPLES)
    ]
    path = folder / "x.csv"
    path.write_text("\n".join([heading, *rows]) + "\n", encoding="utf-8")
    return read_file(path, choice or Choice(marker="busy"))


@pytest.mark.parametrize(
    ("time", "current", "voltage", "scales"),
    [
        ("time (milliseconds)", "current (milliamps)", "voltage (millivolts)", (1e-3, 1e-3, 1e-3)),
        ("time_ms", "current_ma", "voltage_mv", (1e-3, 1e-3, 1e-3)),
        ("time [us]", "current [pA]", "voltage [uV]", (1e-6, 1e-12, 1e-6)),
        ("Time (µs)", "Current (µAmps)", "Voltage (Volts)", (1e-6, 1e-6, 1.0)),
        ("time ns", "current/nA", "voltage.mV", (1e-9, 1e-9, 1e-3)),
        ("TIME (MS)", "CURRENT (MA)", "VOLTAGE (MV)", (1e-3, 1e-3, 1e-3)),
        ("timeMs", "currentmA", "voltageV", (1e-3, 1e-3, 1.0)),
        ("time_sec", "current_microamps", "voltage_volts", (1.0, 1e-6, 1.0)),
        ("time_millis", "Current (mA) main", "voltage_kV", (1e-3, 1e-3, 1e3)),
        ("timestamp (minutes)", "current amperes", "voltage_a", (60.0, 1.0, 1.0)),
        ("time", "current_min", "voltage", (1.0, 1.0, 1.0)),
        ("timestamp", "currents", "voltages", (1.0, 1.0, 1.0)),
    ],
)
def test_spellings(time: str, current: str, voltage: str, scales: tuple[float, float, float], tmp_path: Path) -> None:
    found = read(tmp_path, f"{time},{current},{voltage},busy", scales=scales)
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])
    assert found.windows[0].start_s == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("time (s),current (furlongs),voltage (V),busy",
         r"column current is in 'furlongs', which is no unit of current known here; write A, mA, uA, nA or pA into"),
        ("time (ticks),current (A),voltage (V),busy", "column time is in 'ticks', which is no unit of time"),
        ("time (s),current (A),voltage (dBV),busy", "column voltage is in 'dBV', which is no unit of voltage"),
        ("time (s),current (A),voltage (A),busy", "column voltage is in 'A', which is no unit of voltage"),
        ("time (s),current (mA rms),voltage (V),busy", "column current is in 'mA rms'"),
        ("time (s),current_mv,voltage (V),busy", "column current_mv is in volts; give the probe's scale"),
    ],
)  # fmt: skip
def test_units_that_are_not_known_are_refused(heading: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=text):
        read(tmp_path, heading)


def test_a_probe_in_millivolts(tmp_path: Path) -> None:
    choice = Choice(marker="busy", amperes_per_volt=10.0)
    found = read(tmp_path, "time (s),current_mv,voltage (V),busy", scales=(1.0, 1e-2, 1.0), choice=choice)
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])


def test_a_second_line_of_units(tmp_path: Path) -> None:
    found = read(tmp_path, "time,current,voltage,busy\nms,mA,V,", scales=(1e-3, 1e-3, 1.0))
    assert [energy_j(found.record, one) for one in found.windows] == pytest.approx([1.0, 1.0])


def test_the_marker_is_not_taken_for_the_supply(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="holds no voltage"):
        read(tmp_path, "time (s),current (A),other,busy [V]")
