"""Bench keeper: a bench that is open whenever a run needs it, and what a run does with it."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from daemon.errors import SupplyRefusal
from daemon.supply_guard import SupplyGuard
from daemon.supply_watch import SupplyWatch, refuse_unfit
from instruments.bench import Bench
from instruments.errors import BenchNotReady, ConnectionFailed, InstrumentError
from instruments.recovery import Recovery, RecoveryStep
from instruments.supply_reading import SupplyReading
from metrology.capture import Capture
from metrology.clock_windows import ForcedTrigger
from metrology.supply import SupplyConditions

logger = logging.getLogger(__name__)

DRY_RUN = (
    "this daemon makes a dry run (safety.dry_run, or --dry-run): supply and oscilloscope are as a run needs them, and "
    "nothing was armed; start it without, to measure"
)
POLL_S = 0.01
"""Time between two questions whether the record is complete."""


class BenchKeeper:
    """Opens the bench, and brings it back after a failure; a failure is never carried into the next run."""

    def __init__(
        self,
        bench: Bench,
        *,
        set_points: Mapping[str, float],
        on_instruments: Callable[[dict[str, str]], None],
        on_recovery: Callable[[Recovery], None] = lambda _: None,
        on_reading: Callable[[SupplyReading], None] = lambda _: None,
        clears_trip: bool = False,
        guard: SupplyGuard | None = None,
        dry_run: bool = False,
    ) -> None:
        """Keep a bench.

        Args:
            bench: the instruments.
            set_points: what to programme whenever it is opened (`voltage_v`, `current_a`, `ovp_v`); empty: nothing.
            on_instruments: told the identity of each instrument whenever the bench is opened, or lost.
            on_recovery: told how each instrument was brought back after a failure, or that it was not.
            on_reading: told each reading of the supply; every few milliseconds while a board runs.
            clears_trip: whether a supply whose protection has tripped is switched on again for the next run.
            guard: acts on what endangers the board; None: nobody does.
            dry_run: whether every run is refused once all has been checked.
        """
        self._bench = bench
        self._on_recovery = on_recovery
        self._on_reading = on_reading
        self._guard = guard
        self._dry_run = dry_run
        self._patrolling = asyncio.Lock()
        see = None if guard is None else guard.see
        self._watch = SupplyWatch(bench, clears_trip=clears_trip, see=see, on_reading=on_reading)
        self._opened = False
        self._recovery: asyncio.Task[None] | None = None
        self._set_points = set_points
        self._on_instruments = on_instruments
        self._sound = False
        self.last_problem = "the instruments were not tried yet"
        """Why the bench could not be opened last, in words."""
        self._forced: ForcedTrigger | None = None

    @property
    def is_open(self) -> bool:
        """Whether the instruments answered when they were last used."""
        return self._sound

    @property
    def is_recovering(self) -> bool:
        """Whether instruments are being brought back."""
        return self._recovery is not None

    async def open(self) -> None:
        """Open the bench if it is not open and sound.

        Raises:
            BenchNotReady: instruments did not answer, each with its failure.
            SettingRefused: a configured set-point lies outside the envelope.
        """
        if self._sound:
            return
        try:
            self._on_instruments(dict(await self._bench.open()))
        except InstrumentError as error:
            self.last_problem = str(error)
            await self._is_missing(str(error))
            raise
        self._opened = True
        if self._guard is not None:
            await self._guard.back()
        await self._programme()
        self._sound = True
        logger.info("bench open: %s", ", ".join(self._bench.identities.values()))

    async def disarm(self) -> None:
        """Have the oscilloscope wait for no trigger.

        Raises:
            InstrumentError: it failed.
        """
        await self._bench.stop()

    async def recover(self) -> None:
        """Bring the bench back after a failure, so that the next run finds it ready; never raises.

        Each instrument is brought back by the least drastic step that works, and the supply is told what it was told at
        opening, for it may have forgotten that; the oscilloscope is programmed at each run's first capture in any case.
        What does not come back is opened afresh when the next run needs it, and so is what closing cuts short.
        """
        if self._sound or not self._opened or self._recovery is not None:
            return
        self._recovery = asyncio.get_running_loop().create_task(self._recover(), name="recovery")
        try:
            await asyncio.wait([self._recovery])
        finally:
            await self.end_recovery()

    async def _recover(self) -> None:
        try:
            recoveries = await self._bench.recover()
            for recovery in recoveries:
                _log(recovery)
                self._on_recovery(recovery)
            if any(recovery.failure is not None for recovery in recoveries):
                self._on_instruments({})
                await self._is_missing("; ".join(str(one.failure) for one in recoveries if one.failure is not None))
                return
            if self._guard is not None:
                await self._guard.back()
            await self._bench.stop()
            await self._programme()
        except Exception as error:
            # Whatever it is, the run is over and has been told; the next one opens the bench afresh, and tells of it.
            logger.warning("the bench is not back, the next run opens it afresh: %s", error)
            return
        self._sound = True

    async def end_recovery(self) -> None:
        """End a recovery that goes on, and wait until it has let go of the instruments.

        The bench is then opened afresh when it is needed again.
        """
        recovery, self._recovery = self._recovery, None
        if recovery is not None:
            recovery.cancel()
            await asyncio.wait([recovery])

    async def _is_missing(self, text: str) -> None:
        if self._guard is not None:
            await self._guard.missing(text)

    async def patrol(self, is_free: Callable[[], bool]) -> None:
        """Look at the instruments between two runs: are they there, and what does the supply say?

        What is not there is brought back, or opened afresh where that does not help. A run that comes meanwhile waits.

        Args:
            is_free: whether there is no run in hand.
        """
        async with self._patrolling:
            if not is_free():
                return
            try:
                if self._guard is not None and self._recovery is None:
                    await self._guard.pay()  # whatever else is missing: the supply alone is needed for that
                if self._sound:
                    await self._look()
                elif self._opened and self._bench.identities:
                    await self.recover()
                else:
                    await self.open()
            except SupplyRefusal:
                pass  # the guard has said and done what there is
            except InstrumentError as error:
                logger.warning("between two runs: %s", error)
                self.suspect()
                await self.recover()

    async def _look(self) -> None:
        await self._bench.identify()
        reading = await self._bench.read_supply()
        self._on_reading(reading)
        if self._guard is not None:
            await self._guard.see(reading)

    async def _programme(self) -> None:
        """Programme the configured set-points."""
        if self._set_points:
            points = self._set_points
            await self._bench.set_supply(
                voltage_v=points.get("voltage_v"), current_a=points.get("current_a"), ovp_v=points.get("ovp_v")
            )

    @property
    def is_left_as_told(self) -> bool:
        """Whether the supply's output was left as configured when the bench was closed last."""
        return self._bench.supply.is_left_as_told

    async def close(self) -> None:
        """Close the bench; its instruments are left as its settings say. A recovery that goes on is cut short."""
        self._sound = self._opened = False
        await self.end_recovery()
        await self._bench.close()

    def suspect(self) -> None:
        """Have the bench brought back before its next use: a session may be out of step after a failure."""
        self._sound = False
        self.last_problem = "an instrument failed, and was not brought back yet; the log names it"

    async def arm(self, *, first: bool, edge: bool = True) -> None:
        """Check the supply, programme the oscilloscope and arm it.

        Args:
            first: this is the run's first capture: everything is checked and programmed afresh.
            edge: the marker's edge triggers; False: nothing does until the trigger is forced, marker or no marker.

        Raises:
            InstrumentError: an instrument failed.
            SupplyRefusal: the supply is not fit for a measurement.
        """
        async with self._patrolling:
            pass  # whoever looks at the instruments sees that there is a run now
        if first and self._guard is not None:
            self._guard.refuse_standing()
        await self.open()
        if first:
            await self._identify()
            for role, entries in (await self._bench.reported_errors()).items():
                if entries:
                    logger.warning("%s: reported before this run: %s", role, "; ".join(entries))
            await self._watch.begin_run()
            await self._bench.prepare(edge=edge)
            if self._dry_run:
                raise SupplyRefusal("dry_run", DRY_RUN)
        self._forced = None
        self._watch.begin_capture()
        await self._bench.arm()

    async def _identify(self) -> None:
        """Find every instrument as it was opened: who was exchanged meanwhile does not measure this run.

        A connection that broke while nobody used it (a cable pulled out and plugged in again) is made anew first.

        Raises:
            BenchNotReady: an instrument does not answer, or is another.
        """
        try:
            await self._bench.identify()
        except BenchNotReady as error:
            if not all(isinstance(failure, ConnectionFailed) for failure in error.failures):
                raise
            logger.warning("a connection has ended since the last run: %s", error)
            self.suspect()
            await self.recover()
            await self.open()
            await self._bench.identify()

    async def read_free_supply(self) -> SupplyReading | None:
        """Read the supply for whoever asks while no run is measured; what it has latched is left for the next run.

        Returns:
            The reading; None while the bench is not open and sound.

        Raises:
            InstrumentError: the supply failed; the next run opens the bench afresh.
            SupplyRefusal: the board has no supply to draw from: off, tripped or not in constant voltage.
        """
        if not self._sound:
            return None
        try:
            reading = await self._bench.read_supply(take_events=False)
        except InstrumentError:
            self.suspect()
            raise
        self._on_reading(reading)
        refuse_unfit(reading)
        return reading

    async def force(self) -> ForcedTrigger | None:
        """Force the trigger, unless one has come; return between which times it came, or None.

        Raises:
            InstrumentError: the oscilloscope failed.
        """
        if await self._bench.waits_for_trigger():
            self._forced = await self._bench.force()
        return self._forced

    async def capture(self, *, running: Callable[[], bool], give_up: Callable[[], str | None]) -> "Record | str":
        """Wait for the record and read it, with the supply watched meanwhile.

        Args:
            running: says whether the board runs: from then on the supply is read under load.
            give_up: says why to stop waiting, or None to go on.

        Returns:
            The capture with the supply's conditions, or the reason why waiting was given up.

        Raises:
            InstrumentError: an instrument failed.
        """
        over = asyncio.Event()
        watching = asyncio.get_running_loop().create_task(self._watch.watch(running, over), name="supply-watch")
        try:
            while not await self._bench.is_complete():
                if watching.done():
                    watching.result()  # it ends before the record only by failing
                if (reason := give_up()) is not None:
                    return reason
                await asyncio.sleep(POLL_S)
            complete_monotonic_ns = time.monotonic_ns()
            await self._bench.wait_complete(deadline_s=1.0)
            over.set()
            capture, readings = await asyncio.gather(self._bench.read_capture(), watching)
        finally:
            over.set()
            # Its failure is told where it is awaited above; here it must only not be left behind.
            await asyncio.gather(watching, return_exceptions=True)
        conditions = self._watch.conditions(readings)
        return Record(capture, conditions, complete_monotonic_ns, forced=self._forced)

    async def stop(self) -> None:
        """End an acquisition that nobody waits for any more; a failure here is the recovery's to find."""
        if not self._sound:
            return  # it is stopped once it is back in step
        try:
            await self._bench.stop()
        except Exception as error:
            logger.warning("could not stop the oscilloscope: %s", error)
            self.suspect()


class Record:
    """A record just read."""

    __slots__ = ("capture", "complete_monotonic_ns", "forced", "supply")

    def __init__(
        self,
        capture: Capture,
        supply: SupplyConditions,
        complete_monotonic_ns: int,
        *,
        forced: ForcedTrigger | None = None,
    ) -> None:
        self.capture = capture
        self.supply = supply
        self.forced = forced
        """When its trigger was forced; None where an edge triggered it."""
        self.complete_monotonic_ns = complete_monotonic_ns
        """When the record was seen to be complete, on this computer's monotonic clock."""


def _log(recovery: Recovery) -> None:
    tried = "".join(f"; {one}" for one in recovery.tried)
    if recovery.failure is not None:
        logger.error(
            "%s: not back after %.2f s: %s%s", recovery.instrument, recovery.duration_s, recovery.failure, tried
        )
        return
    reported = f"; it had reported {'; '.join(recovery.reported)}" if recovery.reported else ""
    level = logging.INFO if recovery.step is RecoveryStep.ASK else logging.WARNING
    logger.log(
        level, "%s: back by %s in %.2f s%s%s", recovery.instrument, recovery.step, recovery.duration_s, tried, reported
    )
