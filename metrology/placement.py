"""Placement: where the batches of one capture lie, as the result of its run has them."""

from dataclasses import dataclass, replace

from metrology.analysis import MeasuredCapture, RunFacts, baseline_of, ground_of
from metrology.capture import Capture
from metrology.influences import Influences
from metrology.ladder import Rung, reading_on
from metrology.marker import MarkerReading, read_marker
from metrology.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Windows of one capture."""

    reading: MarkerReading
    """Batches, as a marker would have shown them."""
    baseline: Window | None
    """The idle stretch before the first batch; None in later captures, which hold none."""


def placement(
    one: MeasuredCapture, *, rung: Rung, facts: RunFacts, influences: Influences, is_first: bool
) -> Placement:
    """Return where a capture's batches lie by the rung that its run's result stands on.

    Args:
        one: the capture.
        rung: the rung of the result.
        facts: what the board said of the run.
        influences: the bench's systematic quantities, as the result has them: the marker's delays are among them.
        is_first: the run's first capture, which alone holds its baseline.

    Raises:
        MetrologyError: the capture cannot be placed so.
    """
    ground = ground_of(one, influences)
    reading = reading_on(rung, ground, pattern=facts.pattern, is_first=is_first)
    record = ground.record
    baseline = baseline_of(record.span, record.interval_s, reading) if is_first else None
    return Placement(reading=reading, baseline=baseline)


def marked_placement(capture: Capture, *, edge_limit_s: float = 0.0, has_baseline: bool = True) -> Placement:
    """Return the windows that a capture's marker line shows, of a recording whose windows were written into it.

    Args:
        capture: the capture.
        edge_limit_s: how far an edge may be off beside half a sample, in seconds.
        has_baseline: what lies before the first window is idle time.
    """
    levels, base = capture.marker_levels(), capture.time_base
    reading = MarkerReading.empty() if levels is None else read_marker(levels, base)
    span = Window(start_s=base.origin_s, end_s=base.end_s)
    baseline = baseline_of(span, base.interval_s, reading) if has_baseline else None
    return Placement(
        reading=replace(reading, edge_half_width_s=reading.edge_half_width_s + edge_limit_s), baseline=baseline
    )
