"""Faults on demand: what can go wrong on a bench, switched on one at a time."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from instruments.simulated.error_queue import TEXTS
from metrology.errors import MetrologyError


class Role(StrEnum):
    """Instrument of the bench."""

    OSCILLOSCOPE = "oscilloscope"
    """The MSO-X 2024A."""
    POWER_SUPPLY = "power_supply"
    """The E3645A."""


class FaultKind(StrEnum):
    """A fault that can be injected."""

    SWALLOW_NEXT_ANSWER = "swallow_next_answer"
    """The next answer of an instrument never comes: its reader's time is out."""
    TRUNCATE_NEXT_BLOCK = "truncate_next_block"
    """The next block ends half way, and nothing follows."""
    GARBLE_NEXT_BLOCK = "garble_next_block"
    """The next block has a header that is none."""
    STALL_NEXT_BLOCK = "stall_next_block"
    """The next block stops half way for some real seconds, then the rest comes."""
    DROP_CONNECTION_NEXT_BLOCK = "drop_connection_next_block"
    """The connection is closed half way through the next block."""
    QUEUE_ERROR = "queue_error"
    """An instrument finds an error in itself, and queues it."""
    WRONG_IDENTITY = "wrong_identity"
    """Another instrument is at the address, until it is healed: it knows common commands only."""
    LATE_TRIGGER = "late_trigger"
    """The next edge triggers some world seconds late."""
    NO_TRIGGER = "no_trigger"
    """The acquisition that finds the next edge misses it, and all after it; it can still be forced."""
    TRIP_SUPPLY = "trip_supply"
    """The supply's over-voltage protection trips."""
    CC_EXCURSION = "cc_excursion"
    """The supply limits the current to half of what flows, for some world seconds."""
    ADAPTER_SWALLOWS_ANSWER = "adapter_swallows_answer"
    """The adapter takes the next answer from its instrument, and passes none on."""
    HEAL = "heal"
    """What waits is called off, and nobody is in the place of another; what has struck has struck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault, with all that belongs to it."""

    kind: FaultKind
    """What goes wrong."""
    role: Role | None = None
    """Whose it is; None where the kind says that already."""
    seconds: float = 0.0
    """How long it lasts, or how late it is."""
    code: int = 0
    """Code of a queued error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a kind of fault takes."""

    personal: bool = False
    seconds: float | None = None
    code: int | None = None


_PLAIN = _Form()
_FORMS = {
    FaultKind.SWALLOW_NEXT_ANSWER: _Form(personal=True),
    FaultKind.STALL_NEXT_BLOCK: _Form(seconds=2.0),
    FaultKind.QUEUE_ERROR: _Form(personal=True, code=-310),
    FaultKind.WRONG_IDENTITY: _Form(personal=True),
    FaultKind.LATE_TRIGGER: _Form(seconds=0.1),
    FaultKind.CC_EXCURSION: _Form(seconds=0.05),
}
_MOST_SECONDS = 3600.0
_STRANGER = "KEYSIGHT TECHNOLOGIES,34465A,MY00000002,A.03.01"


def fault_of(kind: Any, role: Any = None, *, seconds: Any = None, code: Any = None) -> Fault:
    """Return the fault that names and numbers from outside describe; what is None takes its default.

    Raises:
        MetrologyError: no such fault or instrument, a value that cannot be, one that is missing or of no use.
    """
    try:
        wanted, whose = FaultKind(kind), None if role is None else Role(role)
    except ValueError:
        raise MetrologyError(
            f"fault: kind must be one of {[k.value for k in FaultKind]} and role one of "
            f"{[r.value for r in Role]}, got kind {kind!r}, role {role!r}"
        ) from None
    form = _FORMS.get(wanted, _PLAIN)
    if form.personal and whose is None:
        raise MetrologyError(f"fault: {wanted.value} needs a role, one of {[r.value for r in Role]}")
    _refuse_useless(wanted, "seconds", seconds, form.seconds)
    _refuse_useless(wanted, "code", code, form.code)
    return Fault(
        kind=wanted,
        role=whose if form.personal else None,
        seconds=_seconds(wanted, form.seconds if seconds is None else seconds),
        code=_code(form.code if code is None else code),
    )


def _refuse_useless(kind: FaultKind, name: str, value: Any, default: float | None) -> None:
    if value is not None and default is None:
        raise MetrologyError(f"fault: {kind.value} takes no {name}, got {value!r}")


def _seconds(kind: FaultKind, value: Any) -> float:
    if value is None:
        return 0.0
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0.0 < value <= _MOST_SECONDS:
        raise MetrologyError(f"fault: seconds of {kind.value} must lie in 0..{_MOST_SECONDS:g}, got {value!r}")
    return float(value)


def _code(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or value not in TEXTS:
        raise MetrologyError(f"fault: code must be one of {sorted(TEXTS)}, got {value!r}")
    return int(value)


class Faults:
    """Faults that wait for their moment. Transports ask at that moment; what strikes at once is told to its victim."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[FaultKind, Role | None], Fault] = {}
        self._victims: dict[tuple[FaultKind, Role | None], Callable[[Fault], None]] = {}
        self._struck = 0

    @property
    def waiting(self) -> list[Fault]:
        """Faults whose moment has not come, and those that last until they are healed."""
        return list(self._waiting.values())

    @property
    def struck(self) -> int:
        """How many faults have struck."""
        return self._struck

    def at_once(self, kind: FaultKind, perform: Callable[[Fault], None], role: Role | None = None) -> None:
        """Have a kind of fault strike as soon as it is injected."""
        self._victims[kind, role] = perform

    def inject(self, kind: Any, role: Any = None, *, seconds: Any = None, code: Any = None) -> None:
        """Inject a fault; raises as `fault_of` does."""
        self.add(fault_of(kind, role, seconds=seconds, code=code))

    def add(self, fault: Fault) -> None:
        """Inject a fault."""
        if fault.kind is FaultKind.HEAL:
            self._waiting.clear()
            return
        victim = self._victims.get((fault.kind, fault.role))
        if victim is None:
            self._waiting[fault.kind, fault.role] = fault
            return
        self._struck += 1
        victim(fault)

    def take(self, kind: FaultKind, role: Role | None = None) -> Fault | None:
        """Return the fault that waits for this moment, and let it be over; None where there is none."""
        fault = self._waiting.pop((kind, role), None)
        self._struck += fault is not None
        return fault

    def estranged(self, role: Role) -> bool:
        """Return whether another instrument is in an instrument's place; asked where that makes a difference."""
        estranged = (FaultKind.WRONG_IDENTITY, role) in self._waiting
        self._struck += estranged
        return estranged

    def identity(self, role: Role, identity: str) -> str:
        """Return what an instrument says that it is."""
        return _STRANGER if self.estranged(role) else identity
