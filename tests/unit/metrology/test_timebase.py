"""Time base and scale: wrong ones cannot be made."""

import numpy as np
import pytest

from metrology.errors import MetrologyError
from metrology.timebase import TimeBase
from metrology.trace import Scale


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"origin_s": float("nan")}, "origin_s must be finite"),
        ({"interval_s": 0.0}, "interval_s must be finite and > 0"),
        ({"interval_s": float("inf")}, "interval_s must be finite and > 0"),
        ({"sample_count": 1}, "sample_count must be at least 2"),
        ({"interval_s": 1e306}, "last sample's time must be finite"),
    ],
)
def test_a_grid_that_cannot_be_is_refused(changes: dict[str, float], complaint: str) -> None:
    good = {"origin_s": -0.2, "interval_s": 20e-6, "sample_count": 1000}
    assert TimeBase(**good).end_s == pytest.approx(-0.18002)  # type: ignore[arg-type]
    with pytest.raises(MetrologyError, match=complaint):
        TimeBase(**good | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("increment", "origin"), [(1e304, 0.0), (-1e304, 0.0), (1e-3, float("inf")), (0.0, 1.0)])
def test_a_scale_gives_every_code_a_finite_value(increment: float, origin: float) -> None:
    large = Scale(increment=1e300, origin=1.0, reference_counts=32768)
    assert np.all(np.isfinite(large.counts_to_value(np.array([0, 0xFFFF], dtype=np.uint16))))
    with pytest.raises(MetrologyError, match=r"finite (value|origin)"):
        Scale(increment=increment, origin=origin, reference_counts=32768)
