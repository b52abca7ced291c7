"""Board environment: who this board is and where its lab is, given in a call or in the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from runners.broker_address import BrokerAddress
from runners.errors import RunMisused

BROKER = "JOULEBENCH_BOARD_BROKER"
BENCH = "JOULEBENCH_BOARD_BENCH"
BOARD = "JOULEBENCH_BOARD_NAME"
MARKER = "JOULEBENCH_BOARD_MARKER"
"""Variables. `JOULEBENCH_BENCH` by itself would be read by the daemon's configuration as its section `[bench]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardIdentity:
    """Who this board is and where its lab is."""

    broker: BrokerAddress
    """The MQTT broker."""
    bench: str
    """Bench that measures this board."""
    board: str
    """Name of this board."""
    marker_url: str
    """Marker line, as a URL; `none` where there is no wire."""

    @property
    def has_marker(self) -> bool:
        """Whether there is a marker line. A program takes its time to the first batch, and with another method offered
        beside the marker the daemon would not wait for its edge."""
        return self.marker_url != "none"


def board_identity(
    *,
    broker: str | None,
    bench: str | None,
    board: str | None,
    marker: str | None,
    environment: Mapping[str, str] = os.environ,
) -> BoardIdentity:
    """Return the identity from what was given, and from the environment where it was not; without marker: `none`.

    Raises:
        RunMisused: Something is given nowhere; it names all of that.
        BrokerUnavailable: The broker's address is none.
    """
    given = {"broker": broker, "bench": bench, "board": board}
    variables = {"broker": BROKER, "bench": BENCH, "board": BOARD}
    found = {name: value or environment.get(variables[name], "") for name, value in given.items()}
    if missing := [f"{name} (or {variables[name]} in the environment)" for name, value in found.items() if not value]:
        raise RunMisused(f"who measures this board is not known; give {', '.join(missing)}")
    return BoardIdentity(
        broker=BrokerAddress.from_url(found["broker"]),
        bench=found["bench"],
        board=found["board"],
        marker_url=marker or environment.get(MARKER, "") or "none",
    )
