"""Edge delay: from the marker's edge to the onset of the current's, by superposing many edges.

A marker edge lies half way between two samples, give or take half an interval, so every superposed sample lies at the
same place relative to the marker, and the mean profile is the step response smeared over one interval:
`H(u) = (G(u + d/2) - G(u - d/2))/d` with `G(v) = v + tau·(exp(-v/tau) - 1)` for v > 0, the integral of the response of
a first-order filter, which is what leads and input capacitance make.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from metrology.capture import Capture
from metrology.errors import MetrologyError
from metrology.linear_fit import LinearFit, fit_linear

MOST_REACH = 25
"""Samples on either side of an edge that are looked at, at most."""
LEAST_REACH = 5
"""Fewer than these tell onset and settling no longer apart."""
LEAST_EDGES = 10
"""Fewer edges than these have no scatter worth the name."""
ZOOMS = 12
"""Refinements of the search, each to a third of the range before."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgeProfile:
    """Mean current about one kind of edge."""

    times_s: NDArray[np.float64]
    """Shape (n,), float64: time since the marker's edge, in seconds."""
    mean_a: NDArray[np.float64]
    """Shape (n,), float64, amperes."""
    deviation_a: NDArray[np.float64]
    """Shape (n,), float64: standard deviation of each mean, in amperes."""
    interval_s: float
    """Sample interval, in seconds."""
    edges: int
    """Edges that were superposed."""
    captures: int
    """Captures that they come from."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EdgeDelay:
    """Onset and settling of the current after a marker edge."""

    delay_s: float
    """Marker edge to onset, in seconds."""
    delay_deviation_s: float
    """Its standard uncertainty, the unknown phase of sampling included."""
    settling_s: float
    """Time constant, in seconds."""
    settling_deviation_s: float
    """Its standard uncertainty."""
    step_a: float
    """Height of the step, in amperes."""
    fit: LinearFit
    """The fit at its best point, linearised: level, step, delay, settling."""


def superpose(captures: Sequence[Capture], *, rising: bool) -> EdgeProfile:
    """Superpose the current about every edge of one direction.

    Raises:
        MetrologyError: captures differ in rate or hold no marker, edges are too few, or too close together.
    """
    if not captures or len({one.time_base.interval_s for one in captures}) != 1:
        raise MetrologyError("edges need captures of one sample rate")
    levels = [one.marker_levels() for one in captures]
    if any(one is None for one in levels):
        raise MetrologyError("edges need captures with a marker pod")
    reach = _reach([one for one in levels if one is not None])
    rows: list[NDArray[np.float64]] = []
    for capture, level in zip(captures, levels, strict=True):
        values = capture.current.values
        places = [] if level is None else _places(level, rising=rising)
        rows += [values[k - reach : k + reach] for k in places if reach <= k <= values.size - reach]
    if len(rows) < LEAST_EDGES:
        raise MetrologyError(f"edges: at least {LEAST_EDGES} are needed, got {len(rows)}; run more and shorter batches")
    stacked = np.array(rows)
    interval_s = captures[0].time_base.interval_s
    return EdgeProfile(
        times_s=np.asarray((np.arange(-reach, reach) + 0.5) * interval_s, dtype=np.float64),
        mean_a=stacked.mean(axis=0),
        deviation_a=np.full(2 * reach, _pooled_deviation(stacked)),
        interval_s=interval_s,
        edges=len(rows),
        captures=len(captures),
    )


def fit_edge(profile: EdgeProfile) -> EdgeDelay:
    """Fit onset and settling to a profile.

    The phase of sampling against the marker is taken as even over an interval within what is superposed, and its
    remaining uncertainty as that of one phase a capture: a board whose batches last a whole number of intervals shows
    the same phase at every edge of a capture.

    Raises:
        MetrologyError: the current does not step.
    """
    interval_s = profile.interval_s
    reach_s = float(profile.times_s[-1])
    delay_s, settling_s = _search(profile, reach_s=reach_s)
    shape = step_response(profile.times_s - delay_s, settling_s=settling_s, interval_s=interval_s)
    level_a, step_a = _levels(shape, profile.mean_a)
    if abs(step_a) < 5 * float(profile.deviation_a[0]):
        raise MetrologyError(f"the current does not step with the marker ({step_a!r} A): is it the right line?")
    fit = _linearised(profile, shape, step_a, delay_s=delay_s, settling_s=settling_s, level_a=level_a)
    phase_s = interval_s / math.sqrt(12 * profile.captures)
    return EdgeDelay(
        delay_s=delay_s,
        delay_deviation_s=math.hypot(fit.deviation(2), phase_s),
        settling_s=settling_s,
        settling_deviation_s=fit.deviation(3),
        step_a=step_a,
        fit=fit,
    )


def step_response(times_s: NDArray[np.float64], *, settling_s: float, interval_s: float) -> NDArray[np.float64]:
    """Return the step response at times since the onset, smeared over one interval; 0 before, 1 long after."""
    half = interval_s / 2
    later, earlier = (_response_integral(times_s + shift, settling_s) for shift in (half, -half))
    return (later - earlier) / interval_s


def _response_integral(times_s: NDArray[np.float64], settling_s: float) -> NDArray[np.float64]:
    since_s = np.maximum(times_s, 0.0)
    return np.asarray(since_s + settling_s * np.expm1(-since_s / settling_s))


def _places(levels: NDArray[np.bool_], *, rising: bool) -> list[int]:
    """Return the index of the first sample after each edge of one direction."""
    after = np.flatnonzero(levels[1:] != levels[:-1]) + 1
    return [int(k) for k in after if bool(levels[k]) is rising]


def _reach(levels: Sequence[NDArray[np.bool_]]) -> int:
    spans = [np.diff(np.flatnonzero(one[1:] != one[:-1])) for one in levels]
    shortest = min((int(span.min()) for span in spans if span.size), default=0)
    reach = min(MOST_REACH, shortest)
    if reach < LEAST_REACH:
        raise MetrologyError(
            f"edges: batches and gaps must last at least {LEAST_REACH} samples, the shortest lasts {shortest}"
        )
    return reach


def _pooled_deviation(stacked: NDArray[np.float64]) -> float:
    """Return the deviation of a column's mean, from the flat fifth before the edge, where no phase adds to it."""
    flat = stacked[:, : max(2, stacked.shape[1] // 5)]
    return float(np.sqrt(flat.var(axis=0, ddof=1).mean() / stacked.shape[0]))


def _search(profile: EdgeProfile, *, reach_s: float) -> tuple[float, float]:
    """Return onset and settling of least squares, by a grid that zooms in on its best point."""
    interval_s = profile.interval_s
    centre, width = 0.0, 0.8 * reach_s
    low, high = math.log(interval_s / 50), math.log(reach_s / 2)
    middle, spread = (low + high) / 2, (high - low) / 2
    best = (math.inf, 0.0, 0.0)
    for _ in range(ZOOMS):
        delays = np.linspace(centre - width, centre + width, 13)
        logs = np.clip(np.linspace(middle - spread, middle + spread, 13), low, high)
        best = min(
            (_misfit(profile, float(delay), math.exp(log)), float(delay), float(log))
            for delay in delays
            for log in logs
        )
        _, centre, middle = best
        width, spread = width / 3, spread / 3
    return best[1], math.exp(best[2])


def _misfit(profile: EdgeProfile, delay_s: float, settling_s: float) -> float:
    shape = step_response(profile.times_s - delay_s, settling_s=settling_s, interval_s=profile.interval_s)
    level_a, step_a = _levels(shape, profile.mean_a)
    residual = profile.mean_a - level_a - step_a * shape
    return float(residual @ residual)


def _levels(shape: NDArray[np.float64], values: NDArray[np.float64]) -> tuple[float, float]:
    """Return level and step of least squares for a given shape."""
    moving = shape - shape.mean()
    power = float(moving @ moving)
    step = float(moving @ values) / power if power > 0 else 0.0
    return float(values.mean()) - step * float(shape.mean()), step


def _linearised(
    profile: EdgeProfile,
    shape: NDArray[np.float64],
    step_a: float,
    *,
    delay_s: float,
    settling_s: float,
    level_a: float,
) -> LinearFit:
    """Return the linear fit about the best point: its covariance is that of the four parameters."""

    def moved(delay_s: float, settling_s: float) -> NDArray[np.float64]:
        return step_a * step_response(profile.times_s - delay_s, settling_s=settling_s, interval_s=profile.interval_s)

    small_s = 1e-3 * profile.interval_s
    by_delay = (moved(delay_s + small_s, settling_s) - moved(delay_s - small_s, settling_s)) / (2 * small_s)
    factor = 1e-3
    by_settling = (moved(delay_s, settling_s * (1 + factor)) - moved(delay_s, settling_s * (1 - factor))) / (
        2 * factor * settling_s
    )
    design = np.column_stack([np.ones_like(shape), shape, by_delay, by_settling])
    return fit_linear(design, profile.mean_a - level_a, profile.deviation_a)
