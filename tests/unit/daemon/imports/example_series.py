"""Series for tests: idle, two windows, and a voltage that sags under load."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from instruments.recordings.choice import Choice
from instruments.recordings.gather import BIN_LIMIT, Gather
from instruments.recordings.recording import Recording

RATE_HZ = 10_000.0


def signals(*, sag_v: float = 0.2, seed: int = 7, count: int = 20_000) -> tuple[NDArray, NDArray, NDArray]:  # type: ignore[type-arg]
    """Return current, voltage and marker at 10 kHz: windows at 0.6 to 1.0 s and 1.2 to 1.6 s."""
    times_s = (np.arange(count) + 0.5) / RATE_HZ
    levels = ((times_s >= 0.6) & (times_s < 1.0)) | ((times_s >= 1.2) & (times_s < 1.6))
    current_a = np.where(levels, 0.8, 0.2) + np.random.default_rng(seed).normal(0, 0.02, count)
    return current_a, 5.0 - sag_v * current_a, levels


def gathered(
    *, sag_v: float = 0.2, bin_limit: int = BIN_LIMIT, choice: Choice | None = None, count: int = 20_000
) -> Gather:
    current_a, voltage_v, levels = signals(sag_v=sag_v, count=count)
    gather = Gather(
        path=Path("example.jls"),
        instrument="test",
        interval_s=1 / RATE_HZ,
        bin_limit=bin_limit,
        choice=choice or Choice(),
    )
    for start in range(0, count, 3_000):
        part = slice(start, start + 3_000)
        gather.add(current_a[part], voltage_v[part] if sag_v else 5.0, levels[part])
    return gather


def recording(
    *,
    sag_v: float = 0.2,
    bin_limit: int = BIN_LIMIT,
    choice: Choice | None = None,
    images: int | None = 10,
    means: bool = True,
) -> Recording:
    gather = gathered(sag_v=sag_v, bin_limit=bin_limit, choice=choice)
    series = gather.series()
    windows = gather.windows(series.bins.span.end_s)
    return Recording(
        record=series.bins,
        windows=windows,
        images=(images,) * len(windows),
        series=series,
        identity="Jetperch JS110 002557",
        is_unit=True,
        instrument="jls",
        means=means,
    )
