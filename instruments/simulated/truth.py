"""Client of the truth channel, for tests and the demo's table."""

import json
import socket
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from metrology.errors import MetrologyError


class TruthClient:
    """Asks the simulated world what really happened. Not safe between threads."""

    def __init__(self, address: str, *, timeout_s: float = 5.0) -> None:
        parts = urlsplit(address)
        if parts.scheme != "tcp" or parts.hostname is None or parts.port is None:
            raise MetrologyError(f"truth: address must be tcp://host:port, got {address!r}")
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    @classmethod
    def from_ready_file(cls, path: str | Path) -> "TruthClient":
        """Return a client of the bench that has written this ready file."""
        return cls(json.loads(Path(path).read_text(encoding="utf-8"))["truth"])

    def __enter__(self) -> "TruthClient":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def acquisitions(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the truth about the acquisitions from an index on, as far as they are kept."""
        return list(self.ask(op="acquisitions", since=since)["acquisitions"])

    def acquisition_count(self) -> int:
        """Return how many acquisitions there have been."""
        return int(self.ask(op="acquisitions", since=1 << 62)["count"])

    def energy_j(self, start_s: float, end_s: float) -> float:
        """Return the energy into the board's terminals between two world times, in joules."""
        return float(self.ask(op="energy", start_s=start_s, end_s=end_s)["energy_j"])

    def now_s(self) -> float:
        """Return the world time, in seconds."""
        return float(self.ask(op="now")["now_s"])

    def errors(self) -> dict[str, Any]:
        """Return the drawn errors, as fractions of their limits, and the circuit's true values."""
        return self.ask(op="errors")

    def pulses(self, since_s: float = 0.0) -> list[tuple[float, float]]:
        """Return the marker pulses since a world time as (rise, fall)."""
        return [(rise_s, fall_s) for rise_s, fall_s in self.ask(op="pulses", since_s=since_s)["pulses"]]

    def fault(self, kind: str, role: str | None = None, **numbers: float) -> None:
        """Inject a fault; `numbers` are its `seconds` and `code`, where its kind takes them."""
        self.ask(op="fault", kind=kind, role=role, **numbers)

    def faults(self) -> dict[str, Any]:
        """Return the faults that are `planned`, those that are injected and `waiting`, and how many have `struck`."""
        return self.ask(op="faults")

    def supply_means(self) -> dict[str, float]:
        """Return the true terminal voltage and line current, `voltage_v` and `current_a`, over a mains period."""
        return self.ask(op="supply")

    def wire(self, **changes: Any) -> None:
        """Change the wiring as a person would; `instruments.simulated.rewiring` says what there is."""
        self.ask(op="wire", **changes)

    def play(self, pulses: Sequence[tuple[float, float]]) -> float:
        """Play marker pulses of (high, low) seconds; return the world time when the last low is over."""
        return float(self.ask(op="play", pulses=pulses)["end_s"])

    def ask(self, **request: Any) -> dict[str, Any]:
        """Ask for an operation, `op`, with what it takes; return the answer.

        Raises:
            MetrologyError: the answer is an error, or none came.
        """
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        line = self._file.readline()
        if not line:
            raise MetrologyError(f"truth: the simulated bench closed the connection at {request['op']!r}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise MetrologyError(answer["error"])
        return answer
