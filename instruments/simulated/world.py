"""The world: clock, supply, leads, board and marker, advanced together.

It is advanced on demand: every question first brings the world up to now, so nothing runs while nobody looks and
the same questions at the same times always get the same answers.
"""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from instruments.simulated.board_load import BoardLoad, BoardSettings, MarkerDrivenLoad
from instruments.simulated.circuit import Circuit, Leads
from instruments.simulated.clock import Clock
from instruments.simulated.error_draw import DrawnErrors, InstrumentErrors, draw_errors
from instruments.simulated.inputs import Wiring, WorldPart
from instruments.simulated.latency import NO_LATENCY, LatencyProfile
from instruments.simulated.marker_line import MarkerLine
from instruments.simulated.probe_physics import HallProbe, ProbeSettings
from instruments.simulated.recorded_load import RecordedLoad, Replay
from instruments.simulated.supply_physics import SupplyPhysics, SupplySettings, SupplyStatus
from instruments.simulated.switched_load import SwitchedLoad
from metrology.errors import MetrologyError

_IDLE_BEFORE_S = 3600.0
MARKER_LATENCY_LIMIT_S = 100e-6
"""A board's marker comes at most this late after its load: a system call and a pin. Assumed, not measured."""
_TICK_S = 1e-9
"""Two events of the world lie at least this far apart."""
MEMORY_POINTS = (100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldSettings:
    """All that defines a world; the same settings and the same events give the same records."""

    seed: int = 1
    """Seed of errors, noise and jitter."""
    time_scale: float = 1.0
    """World seconds per real second."""
    errors: InstrumentErrors = InstrumentErrors.EXACT
    """Whether the instruments err."""
    memory_points: int = 100_000
    """Memory of the scope per channel: 100 000, or 1 000 000 with its option."""
    segmented_memory: bool = False
    """Whether the scope has the option of segmented memory, SGM."""
    board: BoardSettings = field(default_factory=BoardSettings)
    """The board, where its marker drives it."""
    replay: Replay | None = None
    """A recording as the board's load instead; None for the board above."""
    replay_at_start: bool = True
    """Whether the recording starts with the world; otherwise the marker input starts it."""
    leads: Leads = field(default_factory=Leads)
    """Wires and input capacitance."""
    supply: SupplySettings = field(default_factory=SupplySettings)
    """The supply as it was left."""
    probe: ProbeSettings = field(default_factory=ProbeSettings)
    """The current probe."""
    wiring: Wiring = field(default_factory=Wiring)
    """What is plugged in where."""
    latency: LatencyProfile = NO_LATENCY
    """How long the instruments take over what they are told."""

    def __post_init__(self) -> None:
        if self.errors not in tuple(InstrumentErrors):
            raise MetrologyError(f"errors must be one of {[e.value for e in InstrumentErrors]}, got {self.errors!r}")
        if self.memory_points not in MEMORY_POINTS:
            raise MetrologyError(f"memory_points must be one of {MEMORY_POINTS}, got {self.memory_points!r}")
        if self.seed < 0:
            raise MetrologyError(f"seed must be >= 0, got {self.seed!r}")


Wire = Callable[[float], Sequence[tuple[float, bool]]]
"""Returns the marker's edges since it was last asked, up to a world time, as (world time, level after)."""


class World:
    """State of everything that is not an instrument's front panel."""

    def __init__(self, settings: WorldSettings, clock: Clock) -> None:
        self.settings = settings
        self.errors: DrawnErrors = draw_errors(settings.errors, seed=settings.seed)
        self.supply = SupplyPhysics(settings.supply, self.errors)
        self._keep_s = 60.0
        self.status_seen = SupplyStatus(0)
        self._mode = SupplyStatus(0)
        self._clock = clock
        self._marker = MarkerLine()
        self._wires: list[Wire] = []
        self._probe = settings.probe
        self._tap_at_board = False
        self._load = SwitchedLoad(_load_from(settings))
        self._reached_s = clock.now_s()
        self._held_until_s = math.inf
        self._unsteady_since_s = math.inf
        self._unsteady: deque[tuple[float, float]] = deque(maxlen=1000)
        leads = settings.leads
        self._circuit = Circuit(
            leads=leads,
            lead_resistance_ohm=leads.resistance_ohm * (1.0 + leads.resistance_limit * self.errors.lead_resistance),
            source_resistance_ohm=self.supply.source_resistance_ohm,
            load=self._load,
        )
        self._load.series_ohm = self._circuit.series_resistance_ohm
        # The board has been idle for long, so a record may reach back before the world began.
        self._circuit.begin(start_s=self._reached_s - _IDLE_BEFORE_S, level=False, drive=self.supply.drive())
        self._extend(np.array([self._reached_s + _TICK_S]))
        if settings.replay is not None and settings.replay_at_start:
            self.start_replay()

    def advance(self) -> float:
        """Bring the world up to now; return that time, in seconds."""
        now_s = self._look_at_wires()
        if now_s >= self._held_until_s:
            held_until_s, self._held_until_s = self._held_until_s, math.inf
            self._advance_to(held_until_s)
            self.supply.held_a = None
            self._disturb()
        self._advance_to(now_s)
        self._circuit.history.forget_before(now_s - self._keep_s)
        self._marker.forget_before(now_s - self._keep_s)
        return self._reached_s

    def _advance_to(self, now_s: float) -> None:
        if now_s <= self._reached_s:
            return
        edges_s = [time_s for time_s, _ in self._marker.edges_between(self._reached_s, now_s)]
        own_s = self._load.breakpoints(self._reached_s, now_s)
        if edges_s or own_s.size:  # polled thousands of times a second, mostly with nothing new
            self._extend(np.union1d(edges_s, own_s))
        self._reached_s = now_s

    def _disturb(self) -> None:
        """Let what has just been changed take effect."""
        self._reached_s += _TICK_S
        self._extend(np.array([self._reached_s]))

    def keep_at_least(self, duration_s: float) -> None:
        """Keep this much of the past, and never less than a minute or than five real seconds are in this world."""
        self._keep_s = max(60.0, duration_s, 5.0 * self.settings.time_scale)

    @property
    def oldest_s(self) -> float:
        """World time from which on the past is kept."""
        return self._circuit.history.oldest_s

    def attach(self, wire: Wire) -> None:
        """Look at a wire from now on, whenever the world is advanced."""
        self._wires.append(wire)

    def detach(self, wire: Wire) -> None:
        """Look at a wire for the last time."""
        self._look_at_wires()
        self._wires.remove(wire)

    def _look_at_wires(self) -> float:
        """Take what the wires have; return now. An edge seen later than the world got to is put right behind that.

        The time is read first: what is written down from then on is found the next time, and lies no earlier.
        """
        now_s = self._clock.now_s()
        for wire in self._wires:
            for time_s, level in wire(now_s):
                self._marker.set(level, now_s=self._instant_s(time_s))
        return now_s

    def set_marker(self, level: bool) -> None:
        """Set the marker line now."""
        self._look_at_wires()
        self._refuse_while_playing()
        self._marker.set(level, now_s=self._next_instant_s())

    def play(self, pulses: Sequence[tuple[float, float]]) -> float:
        """Play marker pulses of (high, low) seconds from now; return the world time when the last low is over."""
        self._look_at_wires()
        self._refuse_while_playing()
        now_s = self._next_instant_s()
        if self._marker.level_at(now_s):
            raise MetrologyError("marker: the line must be low before pulses are played; send 0 first")
        return self._marker.play(pulses, now_s=now_s)

    def set_draw(self, factor: float) -> None:
        """Set what the board's work draws above idle from now on, as a multiple of its settings' own."""
        board = self._load.board
        if not isinstance(board, MarkerDrivenLoad):
            raise MetrologyError("marker: a recording has its own load; draw is for the board that follows its marker")
        self.advance()
        board.set_draw(factor)
        self._disturb()

    def start_replay(self) -> None:
        """Start the recording now; the marker follows its windows."""
        recorded = self._load.board
        if not isinstance(recorded, RecordedLoad):
            raise MetrologyError("marker: this world has no recording to replay; give it one when it is made")
        self._refuse_while_playing()
        self.advance()
        self._marker.plan(recorded.start(self._next_instant_s()))

    def change_supply(self, **changes: Any) -> None:
        """Change settings of the supply now."""
        self.advance()
        self.supply.change(**changes)
        self._disturb()
        if self.supply.settings.tripped:
            self.status_seen |= SupplyStatus.OVP_TRIPPED

    def hold_current(self, duration_s: float) -> None:
        """Have the supply hold the current at half of what flows now, for a while."""
        _, current_a = self.supply_means()
        self.supply.held_a = max(0.0, current_a / 2)
        self._held_until_s = self._reached_s + duration_s
        self._disturb()

    def rewire(self, *, probe: dict[str, Any], **wiring: Any) -> None:
        """Change the wiring now: settings of the probe, `load_ohm` at the end of the leads, `tap_at_board`."""
        changed = replace(self._probe, **probe)
        self.advance()
        self._probe = changed
        self._tap_at_board = wiring.get("tap_at_board", self._tap_at_board)
        self._load.resistance_ohm = wiring.get("load_ohm", self._load.resistance_ohm)
        self._disturb()

    def supply_means(self, *, over_s: float = 0.02) -> tuple[float, float]:
        """Return true terminal voltage and line current, averaged over the time just passed (a mains period)."""
        now_s = self.advance()
        start_s = max(now_s - over_s, self._circuit.history.oldest_s)
        part = self._circuit.history.between(start_s, now_s)
        length_s = max(now_s - start_s, _TICK_S)
        voltage = part.integral(self._circuit.terminal_voltage(part), start_s=now_s - length_s, end_s=now_s)
        current = part.integral(part.current, start_s=now_s - length_s, end_s=now_s)
        return voltage / length_s, current / length_s

    def held_voltage(self, start_s: float, end_s: float) -> bool:
        """Return whether the supply was in constant voltage all the time between two times that have passed."""
        apart = all(until_s < start_s or since_s > end_s for since_s, until_s in self._unsteady)
        return apart and self._unsteady_since_s > end_s

    def supply_mode(self) -> SupplyStatus:
        """Return how the supply regulates now: constant voltage, constant current, or none while it is off."""
        self.advance()
        return self._mode

    def part(self, start_s: float, end_s: float) -> WorldPart:
        """Return a copy of the world between two times that have passed."""
        self._refuse_forgotten(start_s)
        return WorldPart(
            self._circuit.history.between(start_s, end_s),
            self._tap_resistance_ohm,
            HallProbe(self._probe, self.errors),
            self._arriving_marker(start_s, end_s),
        )

    def energies_j(self, times_s: Sequence[float]) -> list[float]:
        """Return the energy into the board's terminals between each time and the next, in joules.

        The times are ascending and have passed; one energy fewer than times comes back.
        """
        self._refuse_forgotten(times_s[0])
        return [float(energy_j) for energy_j in self._circuit.energies_j(np.array(times_s))]

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Return the energy into the board's terminals between two times that have passed, in joules."""
        return self.energies_j([start_s, end_s])[0]

    def true_values(self) -> dict[str, float]:
        """Return the circuit's true values, which no instrument tells."""
        return {
            "series_resistance_ohm": self._circuit.series_resistance_ohm,
            "source_resistance_ohm": self._circuit.source_resistance_ohm,
            "supply_voltage_v": self.supply.drive().voltage_v,
            "marker_rise_latency_s": self._rise_latency_s,
            "marker_fall_latency_s": self._fall_latency_s,
        }

    def arriving_edges(self, start_s: float, end_s: float) -> list[tuple[float, bool]]:
        """Return the edges that arrive at the oscilloscope's pod in `(start_s, end_s]` as (time, level after)."""
        return self._arriving_marker(start_s, end_s).edges_between(start_s, end_s)

    def marker_edges(self, start_s: float, end_s: float) -> list[tuple[float, bool]]:
        """Return the edges of the board's load in `(start_s, end_s]` as (time, level after)."""
        return self._marker.edges_between(start_s, end_s)

    def marker_pulses(self, start_s: float, end_s: float) -> list[tuple[float, float]]:
        """Return the batches of the board's load wholly inside `[start_s, end_s]` as (rise, fall)."""
        return self._marker.pulses_between(start_s, end_s)

    def marker_level(self, time_s: float) -> bool:
        """Return the marker's level at a time."""
        return self._marker.level_at(time_s)

    def _arriving_marker(self, start_s: float, end_s: float) -> MarkerLine:
        """Return the marker line at the pod about a stretch of time: the board's own edges, late by its latencies."""
        sent = self._marker.between(start_s - MARKER_LATENCY_LIMIT_S, end_s)
        return sent.late(rise_s=self._rise_latency_s, fall_s=self._fall_latency_s)

    @property
    def _rise_latency_s(self) -> float:
        return self.errors.marker_rise * MARKER_LATENCY_LIMIT_S

    @property
    def _fall_latency_s(self) -> float:
        return self.errors.marker_fall * MARKER_LATENCY_LIMIT_S

    @property
    def _tap_resistance_ohm(self) -> float:
        circuit = self._circuit
        return circuit.series_resistance_ohm if self._tap_at_board else circuit.source_resistance_ohm

    def _extend(self, starts_s: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        if starts_s.size:
            levels = self._marker.levels(starts_s)
            self._load.emf_v = self.supply.drive().voltage_v
            seen, self._mode = self._circuit.extend(starts_s, levels, drive=self.supply.drive())
            self.status_seen |= seen
            self._note_regulation(float(starts_s[0]), left=bool(seen & SupplyStatus.VOLTAGE_UNREGULATED))

    def _note_regulation(self, at_s: float, *, left: bool) -> None:
        """Note since when the supply has not been in constant voltage, and until when it was not, as far as that is."""
        steady = self._mode is SupplyStatus.CURRENT_UNREGULATED
        if (left or not steady) and math.isinf(self._unsteady_since_s):
            self._unsteady_since_s = at_s
        if steady and not math.isinf(self._unsteady_since_s):
            self._unsteady.append((self._unsteady_since_s, at_s))
            self._unsteady_since_s = math.inf

    def _next_instant_s(self) -> float:
        return self._instant_s(self._clock.now_s())

    def _instant_s(self, time_s: float) -> float:
        """Return a time at which something can still happen, the given one where it can."""
        return max(time_s, self._reached_s + _TICK_S, self._marker.last_edge_s + _TICK_S)

    def _refuse_while_playing(self) -> None:
        if self._marker.last_edge_s > self._clock.now_s() + 1e-6:
            raise MetrologyError(
                f"marker: a sequence is being played until world time {self._marker.last_edge_s:.6f} s; wait for it"
            )

    def _refuse_forgotten(self, start_s: float) -> None:
        if start_s < self._circuit.history.oldest_s:
            raise MetrologyError(
                f"world: time {start_s!r} s lies before the history kept, from {self._circuit.history.oldest_s!r} s"
            )


def _load_from(settings: WorldSettings) -> BoardLoad:
    if settings.replay is None:
        return MarkerDrivenLoad(settings.board)
    return RecordedLoad(settings.replay, nominal_voltage_v=settings.supply.voltage_v)
