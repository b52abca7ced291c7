"""A session of MLPerf Tiny's kind made for tests: loading, warm-up, pause, window, pause, again and again."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from metrology.bins import EnergyBins
from metrology.step import StepWindow

PAUSE_W = 0.010
STEP_W = 0.020
COURSE = np.concatenate([np.full(3, 0.85), np.linspace(1.0, 1.1, 12), np.full(2, 0.6), np.full(5, 1.0)])
"""One inference, a bin of a millisecond each: power as part of the step."""
RATE_HZ = 1000.0
Spans = list[tuple[float, float]]


@dataclass(kw_only=True)
class Session:
    """Power at 1 kHz as parts of the step above the pause, built from the front, and the windows in it."""

    parts: list[NDArray[np.float64]] = field(default_factory=list)
    windows: Spans = field(default_factory=list)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(12))

    @property
    def activity(self) -> NDArray[np.float64]:
        """Power above the pause, as part of the step, shape (n,)."""
        return np.concatenate(self.parts)

    @property
    def now_s(self) -> float:
        """Time that has passed, in seconds."""
        return sum(part.size for part in self.parts) / RATE_HZ

    def idle(self, duration_s: float) -> "Session":
        self.parts.append(np.zeros(round(duration_s * RATE_HZ)))
        return self

    def load(self, duration_s: float = 1.2) -> "Session":
        """Receive data: bursts of other lengths and heights than an inference has."""
        for _ in range(round(duration_s / 0.1)):
            length = int(self.rng.integers(20, 80))
            self.parts.append(np.full(length, self.rng.uniform(0.1, 0.4)))
            self.idle(0.1 - length / RATE_HZ)
        return self

    def stretch(self, inferences: int) -> "Session":
        """Infer, without a word about it."""
        self.parts.append(np.tile(COURSE, inferences))
        return self

    def window(
        self, inferences: int = 260, *, pause_s: float = 0.036, warm_up: NDArray[np.float64] | None = COURSE
    ) -> "Session":
        """Warm up, write, infer, write."""
        self.idle(0.1)
        if warm_up is not None:
            self.parts.append(warm_up)
        self.idle(pause_s)
        start_s = self.now_s
        self.stretch(inferences)
        self.windows.append((start_s, self.now_s))
        return self.idle(0.1)

    def record(self, *, noise: float = 0.0, scale: float = 1.0) -> EnergyBins:
        """Return the record; noise is its standard deviation as part of the step, a negative scale inverts the load."""
        return record_of(self.activity + noise * self.rng.normal(size=self.activity.size), scale=scale)


def session(count: int = 4) -> Session:
    """Return a sound session."""
    made = Session().idle(0.2)
    for _ in range(count):
        made.load().window()
    return made.idle(0.3)


def record_of(activity: NDArray[np.float64], *, scale: float = 1.0, rate_hz: float = RATE_HZ) -> EnergyBins:
    return EnergyBins.of((PAUSE_W + scale * STEP_W * activity) / rate_hz, interval_s=1 / rate_hz)


def wrong(found: tuple[StepWindow, ...], windows: Spans, *, limit_s: float = 5e-3) -> list[StepWindow]:
    """Return the confident ones that are none of the true windows."""
    return [one for one in found if one.confident and not any(_is(one, *span, limit_s=limit_s) for span in windows)]


def confident_count(found: tuple[StepWindow, ...]) -> int:
    return sum(one.confident for one in found)


def _is(one: StepWindow, start_s: float, end_s: float, *, limit_s: float) -> bool:
    return abs(one.window.start_s - start_s) <= limit_s and abs(one.window.end_s - end_s) <= limit_s
