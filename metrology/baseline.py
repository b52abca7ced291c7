"""Baseline: what the board draws while it waits, and how much that scatters."""

from dataclasses import dataclass

import numpy as np

from metrology.errors import MetrologyError
from metrology.power import PowerRecord
from metrology.window import Window

BLOCK_COUNT = 20
"""Blocks whose scatter estimates the noise; long beside a sample, so that correlated noise is not mistaken for less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """How the mean power of equal blocks of a steady stretch scatters."""

    block_s: float
    """Length of a block, in seconds."""
    block_deviation_w: float
    """Standard deviation of the blocks' mean powers, in watts."""
    degrees_of_freedom: int
    """Blocks less the fitted straight line's two parameters."""

    def energy_deviation_j(self, duration_s: float) -> float:
        """Return the standard deviation that such noise gives the energy of a stretch of this length, in joules.

        Blocks are independent, so variances of energy add with time: `s·sqrt(block·T)`.
        """
        return float(self.block_deviation_w * np.sqrt(self.block_s * duration_s))


def baseline_window(span: Window, *, first_edge_s: float, guard_s: float) -> Window | None:
    """Return the idle stretch before the first marker edge, less a guard; None where it is too short to tell anything.

    Args:
        span: the record.
        first_edge_s: time of the first rising marker edge, in seconds.
        guard_s: what is left out just before the edge, where the board may already be stirring, in seconds.
    """
    end_s = first_edge_s - guard_s
    if end_s - span.start_s <= guard_s:
        return None
    return Window(start_s=span.start_s, end_s=end_s)


def scatter(record: PowerRecord, window: Window, *, block_count: int = BLOCK_COUNT) -> Scatter:
    """Return the scatter of block means about a straight line over a steady window.

    Raises:
        MetrologyError: the window is shorter than one sample a block.
    """
    block_s = window.duration_s / block_count
    if block_s < record.interval_s:
        raise MetrologyError(
            f"scatter over {block_count} blocks needs at least {block_count * record.interval_s} s, "
            f"got {window.duration_s} s"
        )
    edges_s = np.linspace(window.start_s, window.end_s, block_count + 1)
    mean_w = np.diff(record.cumulative_energy_j(edges_s)) / block_s
    place = np.arange(block_count)
    residual_w = mean_w - np.polyval(np.polyfit(place, mean_w, 1), place)
    freedom = block_count - 2
    return Scatter(
        block_s=block_s,
        block_deviation_w=float(np.sqrt(np.sum(residual_w**2) / freedom)),
        degrees_of_freedom=freedom,
    )
