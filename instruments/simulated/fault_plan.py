"""Fault plan: faults that strike a simulated bench by themselves, at given times of its world."""

import asyncio
import heapq
import logging
import math
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instruments.simulated.clock import WorldClock
from instruments.simulated.faults import Fault, Faults, fault_of
from metrology.errors import MetrologyError

logger = logging.getLogger(__name__)

_KEYS = ("kind", "role", "seconds", "code", "at_s", "every_s", "times")
_LEAST_EVERY_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFault:
    """A fault and when it strikes."""

    fault: Fault
    """What goes wrong."""
    at_s: float
    """World time of the first strike, in seconds since the world began."""
    every_s: float | None = None
    """Time from one strike to the next; None: there is only one."""
    times: int | None = None
    """How many strikes; None: one, or without end where `every_s` is given."""

    def times_s(self) -> Iterator[float]:
        """Yield the world time of each strike, in seconds, ascending."""
        yield self.at_s
        if self.every_s is not None:
            count = 1
            while self.times is None or count < self.times:
                yield self.at_s + count * self.every_s
                count += 1


def read_fault_plan(path: Path) -> list[PlannedFault]:
    """Read a plan: a TOML file of tables `[[fault]]` with `kind`, `at_s`, and `role`, `seconds`, `code`, `every_s`,
    `times` where they are of use.

    Raises:
        MetrologyError: no such file, no TOML, or a fault that cannot be; the message names file and fault.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise MetrologyError(f"fault plan {path}: cannot be read: {error}") from error
    tables = document.pop("fault", None)
    if document or not isinstance(tables, list) or not tables:
        raise MetrologyError(f"fault plan {path}: must hold tables [[fault]] and nothing else; see --help")
    planned = []
    for number, table in enumerate(tables, 1):
        try:
            planned.append(_planned(table))
        except MetrologyError as error:
            raise MetrologyError(f"fault plan {path}, fault {number}: {error}") from None
    return planned


class FaultPlan:
    """The strikes of a plan, soonest first."""

    def __init__(self, planned: Sequence[PlannedFault], faults: Faults, clock: WorldClock) -> None:
        """Make a plan that has not begun.

        Args:
            planned: what strikes when.
            faults: where each is injected at its time.
            clock: the world's.
        """
        self._faults = faults
        self._clock = clock
        # The number keeps two faults of one moment in the order of the plan, and from being compared.
        self._turns = [(next(times := one.times_s()), number, one.fault, times) for number, one in enumerate(planned)]
        heapq.heapify(self._turns)

    @property
    def coming(self) -> list[tuple[Fault, float]]:
        """Each fault that is still to strike, and the world time of its next strike, in seconds; soonest first."""
        return [(fault, at_s) for at_s, _, fault, _ in sorted(self._turns, key=lambda turn: turn[:2])]

    async def strike(self) -> None:
        """Inject each fault at its time, until all have been."""
        while self._turns:
            at_s, number, fault, times = self._turns[0]
            await asyncio.sleep(self._clock.real_delay_s(at_s))
            logger.warning("fault at %.3f s of the world: %s", self._clock.now_s(), _words(fault))
            self._faults.add(fault)
            if (next_s := next(times, None)) is None:
                heapq.heappop(self._turns)
            else:
                heapq.heapreplace(self._turns, (next_s, number, fault, times))


def _planned(table: dict[str, Any]) -> PlannedFault:
    unknown = sorted(set(table) - set(_KEYS))
    if unknown:
        raise MetrologyError(f"keys must be among {list(_KEYS)}, got {unknown}")
    fault = fault_of(table.get("kind"), table.get("role"), seconds=table.get("seconds"), code=table.get("code"))
    every_s, times = table.get("every_s"), table.get("times")
    if every_s is not None:
        every_s = _number("every_s", every_s, least=_LEAST_EVERY_S)
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1 or every_s is None):
        raise MetrologyError(f"times must be a whole number of at least 1, beside every_s; got {times!r}")
    return PlannedFault(fault=fault, at_s=_number("at_s", table.get("at_s"), least=0.0), every_s=every_s, times=times)


def _number(name: str, value: Any, *, least: float) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < least:
        raise MetrologyError(f"{name} must be a number of at least {least:g}, got {value!r}")
    return float(value)


def _words(fault: Fault) -> str:
    numbers = [f"{fault.seconds:g} s"] if fault.seconds else []
    numbers += [f"code {fault.code}"] if fault.code else []
    return " ".join([fault.kind.value, *([fault.role.value] if fault.role else []), *numbers])
