"""Power noise: what changes from sample to sample, as the variance that it gives energy."""

import numpy as np

from metrology.power import PowerRecord


def noise_j2_per_s(record: PowerRecord) -> float:
    """Return the variance that noise gives the energy of a stretch, per second of it, in J²/s.

    By the second differences of neighbouring samples' energy, robustly: steps and slow changes do not disturb it.
    """
    span = record.span
    count = max(2, int(np.floor(span.duration_s / record.interval_s)))
    grid_s = np.clip(span.start_s + record.interval_s * np.arange(count + 1), span.start_s, span.end_s)
    steps_w = np.diff(record.cumulative_energy_j(grid_s), n=2) / record.interval_s
    deviation_w = 1.4826 * float(np.median(np.abs(steps_w))) / np.sqrt(2.0)
    return float(deviation_w**2 * record.interval_s)
