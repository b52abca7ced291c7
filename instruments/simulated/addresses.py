"""Addresses of a simulated bench, and the ready file that tells them."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchAddresses:
    """Where the simulated instruments are reached; the content of the ready file."""

    oscilloscope: str
    """VISA resource name of the scope's raw socket."""
    oscilloscope_vxi11: str
    """VISA resource name of the same scope over VXI-11; the port in it makes the client ask no port mapper."""
    gpib_adapter: str
    """VISA resource name of the adapter."""
    power_supply: str
    """VISA resource name of the supply behind it."""
    power_supply_serial: str
    """VISA resource name of the same supply over RS-232; empty where the system has no pseudo-terminals."""
    marker: str
    """tcp:// address of the marker input."""
    truth: str
    """tcp:// address of the truth channel."""
    seed: int
    """Seed of the world."""
    time_scale: float
    """World seconds per real second."""

    def write(self, path: Path) -> None:
        """Write them as JSON; whoever waits for the file never sees half of it."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        temporary.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        temporary.replace(path)
