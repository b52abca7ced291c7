"""Loop watch: how late the event loop calls whoever asked to be called."""

import asyncio
from collections import deque
from collections.abc import Callable

from daemon.readiness import Finding

PERIOD_S = 1.0
"""Between two measurements."""
KEPT = 60
"""Measurements that are remembered: those of the last minute."""
LIMIT_S = 10.0
"""A loop that was held up for longer in the last minute is not healthy: boards are not heard, deadlines pass."""


class LoopWatch:
    """Asks to be called each second, and notes how much later it was."""

    def __init__(self, *, on_lag: Callable[[float], None] = lambda _: None) -> None:
        self._on_lag = on_lag
        self._lags_s: deque[float] = deque(maxlen=KEPT)

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            asked_s = loop.time()
            await asyncio.sleep(PERIOD_S)
            self.note(loop.time() - asked_s - PERIOD_S)

    def note(self, lag_s: float) -> None:
        """Take one measurement, in seconds."""
        self._lags_s.append(lag_s)
        self._on_lag(lag_s)

    def finding(self) -> Finding:
        """Return what the last minute was like."""
        worst_s = max(self._lags_s, default=0.0)
        text = f"longest hold-up of the last minute {worst_s:.3f} s, and {LIMIT_S:g} s are the limit"
        remedy = "what keeps this computer busy, or had it sleep? The daemon hears no board meanwhile"
        ok = worst_s <= LIMIT_S
        return Finding(part="event_loop", ok=ok, text=text, remedy="" if ok else remedy)
