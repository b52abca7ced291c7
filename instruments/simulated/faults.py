"""Faults on demand: what can go wrong on a bench, switched on one at a time."""

from enum import StrEnum

from metrology.errors import MetrologyError


class Role(StrEnum):
    """Instrument of the bench."""

    OSCILLOSCOPE = "oscilloscope"
    """The MSO-X 2024A."""
    POWER_SUPPLY = "power_supply"
    """The E3645A."""


class FaultKind(StrEnum):
    """A fault that can be injected."""

    TRUNCATE_NEXT_BLOCK = "truncate_next_block"
    """The next block ends half way, and nothing follows."""
    DROP_CONNECTION_NEXT_BLOCK = "drop_connection_next_block"
    """The connection is closed half way through the next block."""
    SWALLOW_NEXT_ANSWER = "swallow_next_answer"
    """The next answer of an instrument never comes."""
    WRONG_IDENTITY = "wrong_identity"
    """An instrument says that it is another one, until it is healed."""
    HEAL = "heal"
    """All faults off."""


_STRANGER = "KEYSIGHT TECHNOLOGIES,34465A,MY00000002,A.03.01"


class Faults:
    """Faults that wait for their moment; each transport asks at that moment."""

    def __init__(self) -> None:
        self._waiting: set[tuple[FaultKind, Role | None]] = set()

    def inject(self, kind: FaultKind | str, role: Role | str | None = None) -> None:
        """Inject a fault; `role` is needed where it concerns one instrument.

        Raises:
            MetrologyError: no such fault or instrument, or the instrument is missing.
        """
        try:
            wanted, whose = FaultKind(kind), None if role is None else Role(role)
        except ValueError:
            raise MetrologyError(
                f"fault: kind must be one of {[k.value for k in FaultKind]} and role one of "
                f"{[r.value for r in Role]}, got kind {kind!r}, role {role!r}"
            ) from None
        if wanted is FaultKind.HEAL:
            self._waiting.clear()
            return
        personal = wanted in (FaultKind.SWALLOW_NEXT_ANSWER, FaultKind.WRONG_IDENTITY)
        if personal and whose is None:
            raise MetrologyError(f"fault: {wanted.value} needs a role, one of {[r.value for r in Role]}")
        self._waiting.add((wanted, whose if personal else None))

    def take(self, kind: FaultKind, role: Role | None = None) -> bool:
        """Return whether a fault waits, and let it be over."""
        waiting = (kind, role) in self._waiting
        self._waiting.discard((kind, role))
        return waiting

    def identity(self, role: Role, identity: str) -> str:
        """Return what an instrument says that it is."""
        return _STRANGER if (FaultKind.WRONG_IDENTITY, role) in self._waiting else identity
