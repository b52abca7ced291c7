"""Placement: where the batches of one capture lie, as the result of its run has them."""

from dataclasses import dataclass

from metrology.analysis import MeasuredCapture, RunFacts, baseline_of, ground_of
from metrology.influences import Influences
from metrology.ladder import Rung, reading_on
from metrology.marker import MarkerReading
from metrology.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Windows of one capture."""

    rung: Rung
    """How they were found."""
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
    baseline = baseline_of(ground.record, reading) if is_first else None
    return Placement(rung=rung, reading=reading, baseline=baseline)
