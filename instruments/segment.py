"""Segment: one of the records that segmented memory (option SGM) holds, each with a trigger of its own."""

from dataclasses import dataclass

from metrology.capture import Capture


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segment:
    """One record of a segmented acquisition."""

    index: int
    """Its number, from 1, in the order of the triggers."""
    time_tag_s: float
    """Time of its trigger after that of the first segment, by the oscilloscope's clock."""
    capture: Capture
    """Its samples; time zero is its own trigger."""
