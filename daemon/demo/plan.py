"""Plan of a demonstration: what to run, and the configuration of the bench that it runs on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

BENCH = "demo"
BOARD = "board"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPlan:
    """What a demonstration does."""

    networks: tuple[str, ...]
    """Networks, each with every batch size."""
    batch_sizes: tuple[int, ...]
    """Images in a batch."""
    captures: int
    """Records of each run."""
    seed: int
    """Seed of the simulated world."""
    errors: str
    """`exact`: gains and offsets of the simulated instruments are exact; `datasheet`: drawn within their limits."""
    out: Path
    """Folder for everything that is kept."""

    @property
    def pairs(self) -> list[tuple[str, int]]:
        """Every run's network and batch size, in order."""
        return [(network, batch_size) for network in self.networks for batch_size in self.batch_sizes]


def configuration_text(*, plan: DemoPlan, ready: dict[str, Any], broker_port: int) -> str:
    """Return the configuration of the demonstration's bench, as a file that the other verbs can read too."""
    return f"""# Written by `joulebench demo`. The simulated bench is gone; its runs can still be listed and shown.
[bench]
name = "{BENCH}"

[mqtt]
host = "127.0.0.1"
port = {broker_port}

[oscilloscope]
resource = "{ready["oscilloscope"]}"
current_scale_a_per_div = 0.2
current_offset_a = 0.6

[power_supply]
resource = "{ready["power_supply"]}"
gpib_adapter = "{ready["gpib_adapter"]}"
max_voltage_v = 20.0
max_current_a = 2.2

[runs]
networks = [{", ".join(f'"{network}"' for network in plan.networks)}]

[storage]
directory = "."
min_free_bytes = 50_000_000

[calibration]
directory = "certificates"
missing = "accept"   # simulated instruments have no certificates; their declared limits are the uncertainty
"""
