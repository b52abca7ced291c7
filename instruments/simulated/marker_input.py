"""Marker input: the wire from the board, as lines of text that a shell can send.

`1` and `0` set the level, answered `ok` once it is applied, which keeps edges apart without time stamps.
`play H L H L ...` plays pulses in world seconds: `ok` at once, `done <n>` after the last low time.
`replay` starts the recording. `draw FACTOR` sets what the work draws above idle, as a multiple of the board's settings:
a network that waits for memory draws less than one that multiplies; the board does not tell, whoever plays the world
does. `wire` asks for a faster way for boards on the same computer, answered
`wire PATH MONOTONIC_NS`: the file of an edge log, and the time by the clock that its edges are to carry; once more: the
log is read up to now, answered `ok`. Anything else: `error <text>`.

Who asked for a wire holds his line by his connection: it is low once that has ended, as a GPIO line is.
"""

import asyncio
import contextlib
import math
import time

from instruments.simulated.clock import WorldClock
from instruments.simulated.edge_log import EdgeLog
from instruments.simulated.line_server import LineConnection
from instruments.simulated.world import World
from metrology.errors import MetrologyError

MOST_PULSES = 100_000


class MarkerInput(LineConnection):
    """One connection to the marker line."""

    def __init__(self, world: World, clock: WorldClock) -> None:
        super().__init__()
        self._world = world
        self._clock = clock
        self._log: EdgeLog | None = None
        self._level = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Take what the board wrote last, and its wire away; a board that died in a batch leaves the line low."""
        super().connection_lost(exc)
        if self._log is not None:
            self._world.detach(self._edges)
            self._log.close()
            self._log = None
            if self._level:
                with contextlib.suppress(MetrologyError):  # another board is playing
                    self._world.set_marker(False)

    def handle(self, line: bytes) -> None:
        """Execute one line."""
        try:
            self._execute(line.decode("ascii", "replace").strip())
        except MetrologyError as error:
            self.send(f"error {error}\n".encode())

    def line_too_long(self) -> None:
        """Say so."""
        self.send(b"error marker: line of more than 1 MiB; split the sequence\n")

    def _execute(self, line: str) -> None:
        if line in ("0", "1"):
            self._world.set_marker(line == "1")
            self._level = line == "1"
            self.send(b"ok\n")
        elif line == "replay":
            self._world.start_replay()
            self.send(b"ok\n")
        elif line.startswith("draw "):
            self._world.set_draw(_number(line[5:]))
            self.send(b"ok\n")
        elif line == "wire":
            self._wire()
        elif line.startswith("play"):
            self._play(_pulses(line.split()[1:]))
        else:
            raise MetrologyError(f"marker: expected 0, 1, play H L ..., replay, draw X or wire, got {line[:40]!r}")

    def _wire(self) -> None:
        if self._log is not None:
            self._world.advance()
            self.send(b"ok\n")
            return
        try:
            self._log = EdgeLog()
        except OSError as error:
            raise MetrologyError(f"marker: no wire, set the levels by 0 and 1: {error}") from error
        self._world.attach(self._edges)
        self.send(f"wire {self._log.path} {time.monotonic_ns()}\n".encode())

    def _edges(self, now_s: float) -> list[tuple[float, bool]]:
        assert self._log is not None
        found = self._log.until(self._clock.monotonic_ns(now_s))
        if found:
            self._level = found[-1][1]
        return [(self._clock.time_s(at_ns), level) for at_ns, level in found]

    def _play(self, pulses: list[tuple[float, float]]) -> None:
        end_s = self._world.play(pulses)
        self.send(b"ok\n")
        done = f"done {len(pulses)}\n".encode()
        asyncio.get_running_loop().call_later(self._clock.real_delay_s(end_s), self.send, done)


def _pulses(words: list[str]) -> list[tuple[float, float]]:
    if not words or len(words) % 2:
        raise MetrologyError(f"marker: play takes pairs of high and low seconds, got {len(words)} numbers")
    if len(words) > 2 * MOST_PULSES:
        raise MetrologyError(f"marker: play takes at most {MOST_PULSES} pulses, got {len(words) // 2}")
    durations_s = [_duration(word) for word in words]
    return list(zip(durations_s[::2], durations_s[1::2], strict=True))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan


def _duration(word: str) -> float:
    duration_s = _number(word)
    if not 1e-6 <= duration_s <= 3600.0:
        raise MetrologyError(f"marker: play: each duration must lie in 1e-6..3600 s, got {word[:40]!r}")
    return duration_s
