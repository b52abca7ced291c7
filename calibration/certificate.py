"""Certificate: what every certificate says, whatever it certifies; the kinds stand in modules of their own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from calibration.circumstances import Circumstances
from calibration.errors import BadCertificate

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureUse:
    """A raw capture that a certificate was computed from."""

    capture_id: str
    """Identifier of the capture."""
    sha256: str
    """Checksum of its file, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a certificate comes from."""

    procedure: str
    """Name of the procedure that was run."""
    made_by: str
    """Who ran it: a person, or a bench of its own accord."""
    software_version: str
    """Version of joulebench that computed it."""
    instruments: Mapping[str, str] = field(default_factory=dict)
    """Identity string of each instrument that took part, by its role; the reference among them."""
    serials: Mapping[str, str] = field(default_factory=dict)
    """Serial number by role, where the identity string has none (a probe, an ammeter), as it was entered."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Conditions of the room as they were entered, such as `temperature_c`."""
    captures: tuple[CaptureUse, ...] = ()
    """Raw captures that it was computed from."""
    note: str = ""
    """Anything else a reader should know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What all kinds have in common."""

    KIND: ClassVar[str] = ""
    """Name of the kind, in files and on the command line."""

    certificate_id: str
    """Name, 1 to 64 characters of `[A-Za-z0-9_-]`; results refer to it."""
    made_utc_ns: int
    """When it was made."""
    valid_from_utc_ns: int
    """First instant at which it holds."""
    valid_until_utc_ns: int
    """First instant at which it holds no longer."""
    provenance: Provenance
    """Where it comes from."""

    def __post_init__(self) -> None:
        if not _IDENTIFIER.fullmatch(self.certificate_id):
            raise BadCertificate(
                f"certificate_id must be 1 to 64 characters of [A-Za-z0-9_-], got {self.certificate_id!r}"
            )
        if self.valid_until_utc_ns <= self.valid_from_utc_ns:
            raise BadCertificate(
                f"valid_until_utc_ns must come after valid_from_utc_ns ({self.valid_from_utc_ns}), "
                f"got {self.valid_until_utc_ns}"
            )

    def valid_at(self, utc_ns: int) -> bool:
        """Return whether it holds at an instant."""
        return self.valid_from_utc_ns <= utc_ns < self.valid_until_utc_ns

    def valid_late(self, utc_ns: int) -> bool:
        """Return whether it holds for what was measured before it was made: by as much as it holds afterwards.

        What may wander off within that time after a calibration may have wandered to it within that time before.
        """
        span_ns = self.valid_until_utc_ns - self.valid_from_utc_ns
        return self.valid_from_utc_ns - span_ns <= utc_ns < self.valid_from_utc_ns

    @property
    def instrument_roles(self) -> tuple[str, ...]:
        """Roles of the instruments whose errors it certifies: another instrument there, and it says nothing."""
        return ("oscilloscope", "probe", "power_supply")

    def concerns(self, circumstances: Circumstances) -> bool:
        """Return whether it is about what was measured at all; one about another board is neither right nor wrong."""
        del circumstances
        return True

    def differences(self, circumstances: Circumstances) -> tuple[str, ...]:
        """Return in what a measurement differs from what it was made for, as text for people; empty where it fits."""
        return circumstances.other_instruments(self.provenance.instruments, self.instrument_roles)
