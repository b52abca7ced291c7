"""Simulated identity: by what the simulated oscilloscope is known from a real one, wherever its records lie."""

from collections.abc import Mapping

SIMULATED_SCOPE_IDENTITY = "AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830"
"""Its answer to `*IDN?`: a real model and firmware, so that drivers take it, and a serial number that nobody has."""
SIMULATED_BENCHES = ("simulated", "demo")
"""What a simulated bench is called in the configurations that come with joulebench, and by the demonstration."""
SCOPE = "oscilloscope"
"""Role of the instrument that tells."""


def is_simulated(instruments: Mapping[str, str]) -> bool | None:
    """Return whether instruments, identities by role, are the simulated bench's; None: there is none that tells."""
    return instruments[SCOPE] == SIMULATED_SCOPE_IDENTITY if SCOPE in instruments else None
