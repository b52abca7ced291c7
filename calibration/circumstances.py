"""Circumstances: all of a measurement that a certificate must agree with to hold for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from calibration.conditions import Conditions


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Settings, instruments, wiring and board of one measurement."""

    conditions: Conditions
    """Settings of probe and channel."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Identity string by role (`oscilloscope`, `power_supply`, `probe`); a role that is not known is left out."""
    remote_sense: bool = False
    """Whether the supply senses its voltage at the board."""
    board: str = ""
    """Name of the board; empty where none is concerned."""

    def other_instruments(self, certified: Mapping[str, str], roles: tuple[str, ...]) -> tuple[str, ...]:
        """Return each role that another instrument played, as text for people.

        What either side does not know differs in nothing.

        Args:
            certified: identity by role of the instruments that a certificate was made with.
            roles: those that matter.
        """
        return tuple(
            f"{role} is {self.instruments[role]!r}, not {certified[role]!r}"
            for role in roles
            if role in certified and role in self.instruments and certified[role] != self.instruments[role]
        )
