"""Spectrum figure: many captures take no more memory than one, and energies are no current."""

import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from daemon.captures import CaptureFiles
from daemon.report.described_capture import DescribedCapture
from daemon.report.figure import ReportFigure
from daemon.report.loaded_current import LoadedCurrent
from daemon.report.material import read_material
from daemon.report.spectrum_figure import spectrum_figure
from daemon.store import Store
from metrology.capture import Capture
from metrology.spectrum import SEGMENT, longest_segment
from metrology.timebase import TimeBase
from metrology.trace import Scale, Trace, Unit
from tests.unit.daemon.report.campaign_store import CAMPAIGN, add_capture, write_store

COUNT, INTERVAL_S = 100_000, 2e-5
MIB = 1 << 20


class MadeUpFiles:
    """Captures of noise with batches of so many samples, made when they are read: only the reader holds them."""

    def __init__(self, batch: int) -> None:
        self._batch = batch

    def read(self, name: str) -> Capture:
        rng = np.random.default_rng(int(name))
        levels = np.arange(COUNT) % (self._batch + 50) < self._batch
        counts = rng.integers(100, 200, COUNT).astype(np.uint16)
        scale = Scale(increment=1e-3, origin=0, reference_counts=0)
        return Capture(
            time_base=TimeBase(origin_s=0, interval_s=INTERVAL_S, sample_count=COUNT),
            current=Trace(counts=counts, scale=scale, unit=Unit.AMPERE, clip_low_counts=0, clip_high_counts=65535),
            marker_pod_counts=levels.astype(np.uint8),
        )


def figure_of(captures: int, *, batch: int) -> ReportFigure:
    described = tuple(
        DescribedCapture(run_id="r", name=str(number), instruments={}, settings="", interval_s=INTERVAL_S)
        for number in range(captures)
    )
    files: Any = MadeUpFiles(batch)
    material: Any = SimpleNamespace(captures=described, provenance=SimpleNamespace(unread=()))
    return spectrum_figure(material, files)


def peak_bytes(captures: int, *, batch: int) -> int:
    tracemalloc.start()
    try:
        figure = figure_of(captures, batch=batch)
        assert f"of {captures} captures averaged" in figure.caption
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("batch", [950, 9000])
def test_its_memory_does_not_grow_with_the_captures(batch: int) -> None:
    few, many = peak_bytes(4, batch=batch), peak_bytes(60, batch=batch)
    # One capture's current is 0.4 MB; 56 more of them would be 22 MB.
    assert many < few + MIB, f"{many / MIB:.1f} MiB for 60 captures, {few / MIB:.1f} for 4"


@pytest.mark.parametrize("batch", [300, 950, 4500, 9000])
def test_the_lengths_that_are_read_choose_the_segment_that_all_would(batch: int) -> None:
    files: Any = MadeUpFiles(batch)
    reading = LoadedCurrent([str(number) for number in range(40)], files)
    every = [one.size for one in reading.stretches()]
    assert longest_segment(reading.lengths()) == longest_segment(every)
    assert (reading.captures < 40) == (batch > SEGMENT), "reading stops where more changes nothing"


def test_energies_alone_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1, 2))
    energies = {"identity": "EnergyRunner", "has_current": False}
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1", recording=energies)

    def figure() -> ReportFigure:
        files = CaptureFiles(tmp_path / "captures")
        with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}") as store:
            return spectrum_figure(read_material(store, title="t", files=files), files)

    assert figure().missing == (
        "not drawn: no kept capture of these runs holds a current. "
        "Captures of energies alone, without a current, are left out (1)."
    )
    add_capture(tmp_path, f"{CAMPAIGN}-0002-1")
    assert "of 1 captures averaged" in figure().caption
    assert figure().caption.endswith("Captures of energies alone, without a current, are left out (1).")


def test_a_capture_that_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    write_store(tmp_path, networks=1, batch_sizes=(1,))
    add_capture(tmp_path, f"{CAMPAIGN}-0001-1")
    files = CaptureFiles(tmp_path / "captures")
    reading = LoadedCurrent([f"{CAMPAIGN}-0001-1-0.parquet", "gone.parquet"], files)
    assert len(list(reading.stretches())) > 10
    assert (reading.captures, len(reading.unread)) == (1, 1)
