"""Capture facts: under which keys a capture's file keeps what else is known of it, and how a capture is named."""

from hashlib import sha256

CAPTURE_ID_LIMIT = 64
"""Longest identifier of the contract."""
SUPPLY_KEY = "supply"
"""Where a capture's file keeps what the supply said around it."""
FORCED_KEY = "forced_trigger"
"""Where it keeps when its trigger was forced, by the lab's monotonic clock."""
CONDITIONS_KEY = "conditions"
"""Where it keeps the settings that a certificate must have been made with to hold for it."""
REMOTE_SENSE_KEY = "remote_sense"
"""Where it keeps whether the supply sensed its voltage at the board."""
RECORDING_KEY = "recording"
"""Where a capture that was imported keeps from what file, by what instrument, and how (`daemon.imports.facts`)."""


def capture_id_of(run_id: str, index: int) -> str:
    """Return a capture's identifier: readable where it fits into the contract's 64 characters, hashed where not."""
    plain = f"{run_id}-{index}"
    if len(plain) <= CAPTURE_ID_LIMIT:
        return plain
    return f"{run_id[:40]}-{sha256(run_id.encode()).hexdigest()[:16]}-{index}"
