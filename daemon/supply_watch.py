"""Supply watch: what the supply says before a run and during it, and whether it is fit for one."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

from daemon.errors import SupplyRefusal
from instruments.bench import Bench
from instruments.errors import InstrumentReported
from instruments.supply_reading import SupplyMode, SupplyReading
from metrology.supply import SupplyConditions
from metrology.supply_readings import loaded_count, loaded_current_a

logger = logging.getLogger(__name__)

IDLE_PAUSE_S = 0.01
"""Time between two readings of the supply while the board is waited for."""
IDLE_READINGS = 10
"""So many of the last of them tell the idle current."""
WATCHED_READINGS = 100
"""So many are kept until it is known which they are: more than come in `DOUBT_S`."""
NEWS_S = 0.2
"""What was read this shortly before the daemon heard that the board runs may hold the run's beginning already."""
MOST_CLEARS = 3
"""A trip is cleared so often until a record is taken without one; a board that always trips its supply is left off."""
DOUBT_S = 0.5
"""What happened this shortly before the daemon heard that the board runs may lie in the record, its time before the
trigger included."""
SUPPLY_PAUSE_S = 0.002
"""Time between two readings of the supply while the board runs: as good as one after the other on a real one."""


class SupplyWatch:
    """Reads the supply for one run after the other."""

    def __init__(
        self,
        bench: Bench,
        *,
        clears_trip: bool = False,
        see: Callable[[SupplyReading], Awaitable[None]] | None = None,
        on_reading: Callable[[SupplyReading], None] = lambda _: None,
    ) -> None:
        """Watch a bench's supply.

        Args:
            bench: the instruments.
            clears_trip: whether a supply whose protection has tripped is switched on again for the next run.
            see: is shown every reading, and raises where it must be the run's last; None: nobody.
            on_reading: told every reading, before.
        """
        self._bench = bench
        self._see = see
        self._on_reading = on_reading
        self._clears_trip = clears_trip
        self._clears = 0
        self._idle: list[SupplyReading] = []
        self._doubtful: list[SupplyReading] = []

    async def begin_run(self) -> None:
        """Read the supply before a run's first capture.

        Raises:
            InstrumentError: the supply failed.
            SupplyRefusal: it is not fit for a measurement.
        """
        self._idle = [await self._fit_reading()]

    def begin_capture(self) -> None:
        """Forget what may have lain in the capture before."""
        self._doubtful = []

    async def _fit_reading(self) -> SupplyReading:
        reading = await self._read()
        if reading.ovp_tripped and self._clears_trip and self._clears < MOST_CLEARS:
            self._clears += 1
            text = "power_supply: its protection has tripped; cleared as configured (after_trip), time %d of %d"
            logger.warning(text, self._clears, MOST_CLEARS)
            await self._bench.clear_supply_trip()
            reading = await self._read()
        refuse_unfit(reading)
        return reading

    async def _read(self) -> SupplyReading:
        reading = await self._bench.read_supply()
        self._on_reading(reading)
        if self._see is not None:
            await self._see(reading)
        return reading

    async def watch(self, running: Callable[[], bool], over: asyncio.Event) -> list[SupplyReading]:
        """Read the supply again and again while the board runs, beside the oscilloscope, and once when it is over.

        Before that it is read too, now and then: the idle current of just before the run belongs to its baseline.

        Raises:
            InstrumentReported: the supply has found an error meanwhile.
        """
        await self._watch_idle(running, over)
        readings: list[SupplyReading] = []
        while not over.is_set():
            if running():
                readings.append(await self._read())
            await asyncio.sleep(SUPPLY_PAUSE_S)
        readings.append(await self._read())
        if errors := await self._bench.supply_errors():
            raise InstrumentReported(errors, instrument="power_supply", operation="while the record was taken")
        return readings

    async def _watch_idle(self, running: Callable[[], bool], over: asyncio.Event) -> None:
        """Read the supply until the board runs, and keep what was surely read before."""
        clock = asyncio.get_running_loop().time
        waited: deque[tuple[float, SupplyReading]] = deque(maxlen=WATCHED_READINGS)
        while not (running() or over.is_set()):
            reading = await self._read()
            waited.append((clock(), reading))
            await asyncio.sleep(IDLE_PAUSE_S)
        heard_s = clock()
        surely_idle = [reading for read_s, reading in waited if read_s < heard_s - NEWS_S]
        if len(surely_idle) > 1:
            self._idle = surely_idle[-IDLE_READINGS:]
        self._doubtful = [reading for read_s, reading in waited if read_s >= heard_s - DOUBT_S]

    def conditions(self, during: Sequence[SupplyReading]) -> SupplyConditions:
        """Return what the readings of one capture come to, with those of before it.

        Args:
            during: the readings that `watch` returned, one or more.
        """
        conditions = _conditions(self._idle or [during[-1]], during, self._doubtful)
        if not conditions.tripped:
            self._clears = 0
        return conditions


def refuse_unfit(reading: SupplyReading) -> None:
    """Refuse a supply from which no board can be measured.

    Raises:
        SupplyRefusal: off, tripped or not in constant voltage.
    """
    if not reading.output_on:
        raise SupplyRefusal("supply_off", "power_supply: the output is off; switch it on")
    if reading.ovp_tripped:
        raise SupplyRefusal("supply_tripped", "power_supply: its protection has tripped; find the cause, then clear it")
    if reading.mode is not SupplyMode.CV:
        text = f"power_supply: it is in {reading.mode.value}, not in constant voltage; raise its current limit"
        raise SupplyRefusal("supply_not_cv", text)


def _conditions(
    idle: Sequence[SupplyReading], during: Sequence[SupplyReading], doubtful: Sequence[SupplyReading]
) -> SupplyConditions:
    """Put together what the supply said; what it latched well before the run is the idle readings' and does not count.

    Readings of just before the daemon heard of the run tell no current, for they may hold its beginning or not. But
    what they took from the latched register may have happened in the record, and is nowhere else any more.
    """
    watched = [*doubtful, *during]
    idle_a = median(reading.current_a for reading in idle)
    during_a = [reading.current_a for reading in during]
    return SupplyConditions(
        idle_voltage_v=median(reading.voltage_v for reading in idle),
        # The reading under the heaviest load is the one that tells the voltage while the board ran.
        loaded_voltage_v=max(during, key=lambda reading: reading.current_a).voltage_v,
        idle_current_a=idle_a,
        idle_course_a=max(abs(reading.current_a - idle_a) for reading in idle),
        loaded_current_a=loaded_current_a(during_a),
        loaded_count=loaded_count(during_a),
        constant_voltage=all(one.mode is SupplyMode.CV and not one.cc_excursion for one in watched),
        tripped=any(one.tripped for one in watched),
        output_on=all(one.output_on for one in watched),
    )
