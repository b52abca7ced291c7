"""Acquisition system: arming, trigger, sweep and completion (reference 1.8)."""

import asyncio
import logging
from copy import deepcopy
from dataclasses import replace
from enum import IntFlag

import numpy as np

from instruments.simulated.faults import FaultKind, Faults
from instruments.simulated.inputs import ScopeInputs
from instruments.simulated.rendering import AveragedRendering, Rendering, SegmentedRendering
from instruments.simulated.sample_rate import sample_rate_hz, screen_points
from instruments.simulated.scope_settings import AcquisitionKind, RunState, ScopeSettings
from instruments.simulated.sweep import Record, Sweep
from instruments.simulated.trigger_search import TriggerSearch
from instruments.simulated.truth_log import TruthLog
from instruments.simulated.vertical import VerticalSystem
from instruments.simulated.world import World
from metrology.errors import MetrologyError

logger = logging.getLogger(__name__)

CLOCK_LIMIT = 25e-6
_LEAD_INTERVALS, _LEAD_S = 2, 1e-3
"""How much of the world before a sweep its rendering and the search for its trigger need, at most."""
AUTO_TRIGGER_S = 0.05
"""How long the sweep mode AUTO waits before it triggers itself."""
REARM_S = 20e-6
"""Dead time between a sweep and the next of the same acquisition, before its pre-trigger part is filled [?]."""


class OperationStatus(IntFlag):
    """Operation status condition of the scope (reference 1.4)."""

    RUN = 8
    """An acquisition is in progress."""
    WAIT_TRIGGER = 32
    """Armed, and waiting for the trigger."""


class Acquisition:
    """State machine of one acquisition after the other.

    A finished sweep is `pending` until its record has been rendered; the scope reports completion only after that,
    so that reading the record costs nothing but its transfer. An average and a segmented acquisition take several
    sweeps, one a trigger; of these the last one is pending.
    """

    def __init__(
        self, world: World, truth: TruthLog, *, faults: Faults | None = None, background: bool = False
    ) -> None:
        self.settings = ScopeSettings()
        self.state = RunState.RUN
        self.pending: Sweep | None = None
        self.record: Record | None = None
        self.blocking = False
        self.started = asyncio.Event()
        self._world = world
        self._truth = truth
        self._faults = faults or Faults()
        self._background = background
        self._inputs = ScopeInputs(world.settings.wiring)
        self._vertical = VerticalSystem(world.errors)
        self._search = TriggerSearch(world, self._inputs)
        self._frozen = deepcopy(self.settings)
        self._count = 0
        self._armed_s = self._searched_s = world.advance()
        self._sweeping: Sweep | None = None
        self._taken: list[Rendering] = []
        self._segments: tuple[Record, ...] = ()
        self._wanted = 1
        self.segment_index = 1
        self._forced_s: float | None = None
        self._late_s: float | None = None
        self._ready = self._armed = self._triggered = self._misses_edges = False
        self._begin(world.advance(), RunState.RUN)

    @property
    def waiting_s(self) -> float | None:
        """World time at which the sweep in progress will be over; None while that is not known."""
        return None if self._sweeping is None else self._sweeping.end_s

    @property
    def memory_points(self) -> int:
        """Memory of the scope per channel, in points."""
        return self._world.settings.memory_points

    @property
    def segmented_memory(self) -> bool:
        """Whether the option of segmented memory is fitted."""
        return self._world.settings.segmented_memory

    @property
    def segment_sweeps(self) -> list[Sweep]:
        """Sweeps of the segments acquired so far, in their order; none where the memory is not segmented."""
        if self._segments:
            return [record.sweep for record in self._segments]
        return [part.sweep for part in self._taken] if self._frozen.segmented else []

    @property
    def acquiring(self) -> bool:
        """Whether a single acquisition is in progress, its rendering included."""
        return self.state is RunState.SINGLE

    def single(self) -> None:
        """Arm for one sweep, or one a segment; a trigger counts once the time before it has been recorded."""
        self._begin(self._world.advance(), RunState.SINGLE)
        self._frozen.trigger.sweep = "NORM"

    def digitize(self) -> None:
        """Take one sweep in the sweep mode as it is, or all of an average; the interface waits for it.

        Nothing else completes an average: of a single acquisition none is made [KS].
        """
        self._begin(self._world.advance(), RunState.SINGLE, averaging=self.settings.kind is AcquisitionKind.AVERAGE)
        self.blocking = True

    def run(self) -> None:
        """Take sweep after sweep."""
        self._begin(self._world.advance(), RunState.RUN)

    def force(self) -> None:
        """Trigger as soon as the time before the trigger has been recorded; nothing happens during a sweep."""
        now_s = self.advance()
        if self._sweeping is None:
            self._forced_s = now_s

    def stop(self) -> None:
        """Stop; what a sweep in progress has not reached stays a hole."""
        now_s = self.advance()
        if self.state is RunState.RUN:
            self._show_latest(now_s)
        elif self.acquiring and self.pending is None and self._taken:
            self.pending = self._taken[-1].sweep  # what was begun after it is dropped
        elif self.acquiring and self.pending is None and self._sweeping is not None:
            self._complete(replace(self._sweeping, stopped_s=now_s), now_s)
        if self.pending is not None:
            self._render()
        self._halt()

    def advance(self) -> float:
        """Bring the acquisition up to now; return that time, in seconds."""
        now_s = self._world.advance()
        if self.state is RunState.STOP or self.pending is not None or now_s < self._armed_s:
            return now_s
        if not self._ready:
            self._ready = self._armed = True
        if self.acquiring:
            self._sweep_on(now_s)
        return now_s

    def rendering(self) -> Rendering | AveragedRendering | SegmentedRendering:
        """Return the work of rendering what is pending; it may be done in any thread."""
        if self.pending is None:
            raise RuntimeError("no sweep is pending")
        if self._frozen.segmented and self._taken:
            return SegmentedRendering(parts=tuple(self._taken))
        if self._taken:
            return AveragedRendering(parts=tuple(self._taken))
        if self._frozen.kind is AcquisitionKind.AVERAGE and self.state is RunState.RUN:
            return AveragedRendering(parts=(self._rendering_of(self.pending),))
        return self._rendering_of(self.pending)

    def finish(self, record: Record) -> None:
        """Take a rendered record as the one on screen, unless it has been superseded."""
        if self.pending is not record.sweep:
            return
        self.record, self.pending = record, None
        self._segments = (*record.earlier, record) if record.sweep.settings.segmented and self.acquiring else ()
        self._taken = []
        if self.acquiring:
            self._halt()

    def abandon(self) -> None:
        """Stop without a record of the pending sweep."""
        self.pending, self._taken = None, []
        self._halt()

    def condition(self) -> OperationStatus:
        """Return the operation status as it is now."""
        now_s = self.advance()
        if self.state is RunState.STOP:
            return OperationStatus(0)
        waiting = now_s >= self._armed_s and self._sweeping is None
        return OperationStatus.RUN | (OperationStatus.WAIT_TRIGGER if waiting else OperationStatus(0))

    def take_armed(self) -> bool:
        """Return whether the scope has been armed since last asked."""
        self.advance()
        armed, self._armed = self._armed, False
        return armed

    def take_triggered(self) -> bool:
        """Return whether the scope has triggered since last asked."""
        now_s = self.advance()
        if self.state is RunState.RUN:
            self._triggered |= self._latest_trigger(now_s) is not None
        triggered, self._triggered = self._triggered, False
        return triggered

    def clear_events(self) -> None:
        """Forget that the scope was armed or triggered."""
        self.take_armed()
        self.take_triggered()

    def current_record(self) -> Record | None:
        """Return the record on screen: that of the selected segment, and while running that of the latest sweep.

        Of a stopped record only what lies on the screen comes, as the time base is set now (reference 1.5).
        """
        now_s = self.advance()
        if self.state is RunState.RUN:
            self._show_latest(now_s)
            return self.record
        record = self._segments[self.segment_index - 1] if self._segments else self.record
        shown = self.settings.time_base
        return None if record is None else record.between(shown.start_s, shown.start_s + shown.range_s)

    def glance_v(self, channel: int, span_s: float) -> tuple[float, float]:
        """Return the lowest and the highest volts at an input during the last while, its noise included."""
        now_s = self._world.advance()
        part = self._world.part(now_s - span_s - 1e-5, now_s)
        volts = self._inputs.volts(channel, np.linspace(now_s - span_s, now_s, 1000), part)
        noise_v = 3.0 * self._inputs.noise_v(channel, part, averaged_s=0.0)
        return float(volts.min()) - noise_v, float(volts.max()) + noise_v

    def reset(self) -> None:
        """Return to the default settings, running."""
        self.settings = ScopeSettings()
        self.record = None
        self.run()

    def recall(self, settings: ScopeSettings) -> None:
        """Take other settings over, as a recalled set-up does; an acquisition in progress keeps those it began with."""
        self.settings = settings

    def _render(self) -> None:
        try:
            self.finish(self.rendering().render())
        except MetrologyError as error:
            # Nobody has asked for long: the world has gone on and forgotten the sweep. The scope ends without data.
            logger.error("sweep lost: %s", error)
            self.abandon()

    def _halt(self) -> None:
        self.state, self.blocking = RunState.STOP, False
        self.started.clear()

    def _begin(self, now_s: float, state: RunState, *, averaging: bool = False) -> None:
        self.state, self.blocking, self.pending = state, False, None
        self._frozen = deepcopy(self.settings)
        self._taken, self._segments, self.segment_index = [], (), 1
        several = self._frozen.segment_count if self._frozen.segmented else self._frozen.average_count
        self._wanted = several if state is RunState.SINGLE and (averaging or self._frozen.segmented) else 1
        self._arm(now_s)
        self._ready = self._armed = self._triggered = self._misses_edges = False
        if state is RunState.SINGLE:
            self.started.set()
        else:
            self.started.clear()
        self._keep_what_sweeps_need()

    def _keep_what_sweeps_need(self) -> None:
        time_base = self._frozen.time_base
        self._world.keep_at_least(3.0 * time_base.range_s + abs(time_base.start_s))

    def _arm(self, from_s: float) -> None:
        """Take triggers once the pre-trigger part is filled, from a time on."""
        self._armed_s = self._searched_s = from_s + max(0.0, -self._frozen.time_base.start_s)
        self._sweeping = self._forced_s = self._late_s = None

    def _sweep_on(self, now_s: float) -> None:
        """Take the sweeps that have begun and ended until now."""
        goes_on = True
        while goes_on and now_s >= self._armed_s:
            if self._sweeping is None:
                self._look_for_trigger(now_s)
            goes_on = self._sweeping is not None and now_s >= self._sweeping.end_s and self._take(now_s, self._sweeping)
        if self.pending is not None and not self._background:
            self._render()

    def _look_for_trigger(self, now_s: float) -> None:
        trigger_s = self._first_edge(now_s)
        self._searched_s = now_s
        if trigger_s is None and self._forced_s is not None and now_s >= self._forced_s:
            trigger_s = max(self._forced_s, self._armed_s)
        if trigger_s is None and self._frozen.trigger.sweep == "AUTO" and now_s >= self._armed_s + AUTO_TRIGGER_S:
            trigger_s = self._armed_s + AUTO_TRIGGER_S
        if trigger_s is not None:
            self._sweeping, self._triggered = self._sweep(trigger_s), True

    def _first_edge(self, now_s: float) -> float | None:
        """Return when the first edge since the last look triggers; None where there is none, or a fault.

        What misses its edges does so for all segments of an acquisition; what comes late makes one trigger late.
        """
        if self._misses_edges:
            return None
        if self._late_s is None:
            edge_s = self._search.first(self._frozen, after_s=self._searched_s, until_s=now_s)
            if edge_s is None:
                return None
            late = self._faults.take(FaultKind.LATE_TRIGGER)
            if late is None:
                self._misses_edges = bool(self._faults.take(FaultKind.NO_TRIGGER))
                return None if self._misses_edges else edge_s
            self._late_s = edge_s + late.seconds
        return self._late_s if now_s >= self._late_s else None

    def _latest_trigger(self, now_s: float) -> float | None:
        time_base = self._frozen.time_base
        until_s = now_s - max(0.0, time_base.range_s + time_base.start_s)
        after_s = max(self._armed_s, until_s - 2 * time_base.range_s, self._oldest_s)
        found_s = self._search.last(self._frozen, after_s=after_s, until_s=until_s)
        if found_s is None and self._frozen.trigger.sweep == "AUTO" and until_s > self._armed_s:
            return until_s
        return found_s

    def _show_latest(self, now_s: float) -> None:
        self._frozen = deepcopy(self.settings)
        self._keep_what_sweeps_need()
        trigger_s = self._latest_trigger(now_s)
        if trigger_s is None or self._shows(trigger_s):
            return
        sweep = self._sweep(trigger_s)
        if sweep.start_s - _LEAD_INTERVALS * sweep.interval_s > self._oldest_s:
            self._complete(sweep, now_s)
            self._render()

    @property
    def _oldest_s(self) -> float:
        """World time before which nothing can be rendered: a time base set a moment ago may reach back further."""
        return self._world.oldest_s + _LEAD_S

    def _shows(self, trigger_s: float) -> bool:
        return self.record is not None and self.record.sweep.trigger_s == trigger_s

    def _sweep(self, trigger_s: float) -> Sweep:
        memory = self._world.settings.memory_points
        interval_s = 1.0 / sample_rate_hz(self._frozen, memory)
        jitter = np.random.default_rng([self._world.settings.seed, self._count]).uniform(-0.5, 0.5)
        return Sweep(
            index=self._count,
            settings=self._frozen,
            trigger_s=trigger_s,
            jitter_s=float(jitter) * interval_s,
            interval_s=interval_s,
            point_count=screen_points(self._frozen, memory),
            clock_error=self._world.errors.sample_clock * CLOCK_LIMIT,
        )

    def _rendering_of(self, sweep: Sweep) -> Rendering:
        return Rendering(
            sweep=sweep,
            part=self._world.part(
                sweep.start_s - _LEAD_INTERVALS * sweep.interval_s - 1e-5, sweep.end_s + sweep.interval_s
            ),
            inputs=self._inputs,
            vertical=self._vertical,
            seed=self._world.settings.seed,
        )

    def _take(self, now_s: float, sweep: Sweep) -> bool:
        """Take a sweep that is over, and arm again where more are wanted; return whether they are."""
        if self._wanted == 1:
            self._complete(sweep, now_s)
            return False
        try:
            # The world forgets, and the last of many sweeps may come long after the first: each takes its part along.
            self._taken.append(self._rendering_of(sweep))
        except MetrologyError as error:
            logger.error("sweep lost: %s", error)  # a computer that was asleep; see the bench's pacer
            self.abandon()
            return False
        self._note(sweep, now_s)
        if len(self._taken) == self._wanted:
            self.pending = sweep
            return False
        self._arm(sweep.end_s + REARM_S)
        return True

    def _complete(self, sweep: Sweep, now_s: float) -> None:
        self.pending = sweep
        self._note(sweep, now_s)

    def _note(self, sweep: Sweep, now_s: float) -> None:
        self._count += 1
        if self.acquiring:
            self._truth.record(self._world, sweep.trigger_s, start_s=sweep.start_s, end_s=min(sweep.end_s, now_s))
