"""The six recordings of MLPerf Tiny v1.0: thirty windows, each against its officially published energy."""

import re
from pathlib import Path

import pytest

from instruments.recordings.energyrunner import RESULTS_FILE, read_recording
from metrology.power import energy_j, mean_power_w

pytestmark = pytest.mark.recordings

RECORDINGS = [
    "GreenWaves_GAP9-650MHz_kws",
    "OctoML_NUCLEO_L4R5ZI_cmsis-nn_ad",
    "STMicroelectronics_NUCLEO-H7A3ZI-Q_ad",
    "STMicroelectronics_NUCLEO-H7A3ZI-Q_kws",
    "STMicroelectronics_NUCLEO-U575ZI-Q_ic",
    "STMicroelectronics_NUCLEO_L4R5ZI_kws",
]
TOLERANCE = 2e-4


def official(results: str, label: str) -> list[float]:
    """Return the published figures of one kind, window by window."""
    return [float(figure) for figure in re.findall(rf"{re.escape(label)}\s*:\s*([0-9.]+)", results)]


@pytest.mark.parametrize("name", RECORDINGS)
def test_all_windows_reproduce_the_official_figures(recordings: Path, name: str) -> None:
    recording = read_recording(recordings / name)
    results = (recordings / name / RESULTS_FILE).read_text()
    energies_j = [energy_j(recording.record, window) for window in recording.windows]
    powers_w = [mean_power_w(recording.record, window) for window in recording.windows]
    per_image_j = [energy / images for energy, images in zip(energies_j, recording.images, strict=True) if images]
    assert len(energies_j) == 5
    assert energies_j == pytest.approx([1e-6 * uj for uj in official(results, "Energy")], rel=TOLERANCE)
    assert powers_w == pytest.approx([1e-6 * uw for uw in official(results, "Power")], rel=TOLERANCE)
    # published with three decimals of a microjoule only
    assert per_image_j == pytest.approx([1e-6 * uj for uj in official(results, "Energy/Inf.")], rel=TOLERANCE)


@pytest.mark.parametrize("name", RECORDINGS)
def test_windows_stand_where_the_results_say(recordings: Path, name: str) -> None:
    recording = read_recording(recordings / name)
    results = (recordings / name / RESULTS_FILE).read_text()
    told = re.findall(r"Energy data for window \d+ at time ([0-9.]+) for ([0-9.]+) sec", results)
    for window, (start, duration) in zip(recording.windows, told, strict=True):
        assert window.start_s == pytest.approx(float(start), abs=0.0051)
        assert window.duration_s == pytest.approx(float(duration), abs=0.0051)


@pytest.mark.parametrize("name", RECORDINGS)
def test_energies_do_not_come_from_the_results(recordings: Path, tmp_path: Path, name: str) -> None:
    for source in (recordings / name).iterdir():
        if source.name != RESULTS_FILE:
            (tmp_path / source.name).symlink_to(source)
    alone, beside = read_recording(tmp_path), read_recording(recordings / name)
    assert alone.images == (None,) * 5
    assert [energy_j(alone.record, window) for window in alone.windows] == [
        energy_j(beside.record, window) for window in beside.windows
    ]
