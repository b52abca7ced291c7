"""Bench view: what is known of a bench and its last runs, from what was heard and what is stored."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from daemon.records import ResultRecord, RunRecord
from daemon.watch.happening import Happening
from runners.messages import BoardStatus, DaemonStatus, Presence, Quantity, RunPhase, RunRequest, RunResult, RunState


@dataclass(slots=True, kw_only=True)
class RunView:
    """One run, as far as it is known."""

    run_id: str
    """Identifier."""
    at_utc_ns: int
    """When it was first heard of, or requested, in nanoseconds of UTC."""
    board: str | None = None
    """Board that runs the network."""
    network: str | None = None
    """Name of the network."""
    batch_size: int | None = None
    """Images in one batch."""
    state: RunPhase | None = None
    """Where it stands; None: only its request was heard."""
    reason: str | None = None
    """Reason code of an end that is none of the good ones."""
    text: str | None = None
    """The reason in words."""
    capture_index: int = 0
    """Capture that is armed or was just taken, from 0."""
    captures: int = 1
    """Captures planned."""
    steps: list[tuple[RunPhase, int]] = field(default_factory=list)
    """Each state as it came, with its time in nanoseconds of UTC."""
    gross: tuple[float, float | None] | None = None
    """Gross energy per image and its U95, in joules."""
    net: tuple[float, float | None] | None = None
    """Net energy per image and its U95, in joules."""
    quality: str | None = None
    """Verdict on the result; None: there is no result."""
    reasons: tuple[str, ...] = ()
    """Codes of what keeps the result from being valid."""

    @property
    def is_over(self) -> bool:
        """Whether nothing follows."""
        return self.state is not None and self.state.terminal

    @property
    def captures_taken(self) -> int:
        """Captures that are safe on disk."""
        return self.captures if RunPhase.CAPTURED in {state for state, _ in self.steps} else self.capture_index

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        (gross, gross_u95), (net, net_u95) = self.gross or (None, None), self.net or (None, None)
        return {
            "run_id": self.run_id,
            "at_utc_ns": self.at_utc_ns,
            "board": self.board,
            "network": self.network,
            "batch_size": self.batch_size,
            "state": self.state and self.state.value,
            "reason": self.reason,
            "text": self.text,
            "captures_taken": self.captures_taken,
            "captures_planned": self.captures,
            "gross_energy_per_image_j": gross,
            "gross_u95_j": gross_u95,
            "net_energy_per_image_j": net,
            "net_u95_j": net_u95,
            "quality": self.quality,
            "reasons": list(self.reasons),
        }


class BenchView:
    """What is known of one bench. A run that is not among the newest is forgotten."""

    def __init__(self, bench: str, *, limit: int) -> None:
        self.bench = bench
        self.connected = False
        """Whether the broker is connected."""
        self.link_text = "not connected yet"
        """What is to be said of the connection."""
        self.daemon: DaemonStatus | None = None
        """The daemon's last status; None: it was never heard of."""
        self.boards: dict[str, BoardStatus] = {}
        """Last status of each board, by its name."""
        self.limit = limit
        """How many runs are shown."""
        self._runs: dict[str, RunView] = {}

    @property
    def daemon_is_there(self) -> bool:
        """Whether the daemon says that it is there, on a connection that stands."""
        return self.connected and self.daemon is not None and self.daemon.state is Presence.ONLINE

    @property
    def runs(self) -> list[RunView]:
        """The newest runs, the newest first."""
        newest = sorted(self._runs.values(), key=lambda run: (run.at_utc_ns, run.run_id), reverse=True)
        return newest[: self.limit]

    @property
    def in_hand(self) -> RunView | None:
        """The run that the daemon measures, as far as it is known; None: none, or the daemon is not there."""
        if self.daemon is None or not self.daemon_is_there or self.daemon.current_run is None:
            return None
        return self._runs.get(self.daemon.current_run)

    def hear(self, happening: Happening) -> None:
        """Take up what was heard."""
        message = happening.message
        if message is None:
            self.connected, self.link_text = happening.connected, happening.text or ""
        elif isinstance(message, DaemonStatus):
            self.daemon = message
        elif isinstance(message, BoardStatus):
            self.boards[message.board] = message
        else:
            self._hear_of_run(happening)

    def know(self, stored: Iterable[tuple[RunRecord, ResultRecord | None]]) -> None:
        """Take up runs of the database, each with its newest result or None; what was heard goes before."""
        for record, result in stored:
            run = self._run(record.run_id, record.requested_utc_ns)
            run.at_utc_ns = record.requested_utc_ns
            run.board, run.network, run.batch_size = record.board, record.network, record.batch_size
            run.captures = record.captures
            if run.state is None or record.state.terminal:
                run.state, run.reason, run.text = record.state, record.reason, record.text
            if result is not None:
                run.gross = _pair(result.gross_energy_per_image_j, result.gross_u95_j)
                run.net = _pair(result.net_energy_per_image_j, result.net_u95_j)
                run.quality = result.quality
                run.reasons = tuple(one["code"] for one in result.document.get("reasons") or ())

    def document(self) -> dict[str, Any]:
        """Return everything as one document of JSON values."""
        in_hand = self.in_hand
        return {
            "bench": self.bench,
            "connected": self.connected,
            "daemon": self.daemon and self.daemon.model_dump(mode="json"),
            "boards": [one.model_dump(mode="json") for _, one in sorted(self.boards.items())],
            "run_in_hand": in_hand and in_hand.run_id,
            "runs": [run.document() for run in self.runs],
        }

    def _hear_of_run(self, happening: Happening) -> None:
        message, run = happening.message, self._run(str(happening.run_id), happening.at_utc_ns)
        if isinstance(message, RunRequest):
            run.board, run.network, run.batch_size = happening.board, message.network, message.batch_size
            run.captures = message.captures
        elif isinstance(message, RunState):
            _take_state(run, message)
        elif isinstance(message, RunResult):
            run.board, run.network, run.batch_size = message.board, message.network, message.batch_size
            run.gross, run.net = _of(message.gross_energy_per_image_j), _of(message.net_energy_per_image_j)
            run.quality, run.reasons = message.quality, tuple(one.code for one in message.reasons)
        self._forget_the_oldest()

    def _run(self, run_id: str, at_utc_ns: int) -> RunView:
        return self._runs.setdefault(run_id, RunView(run_id=run_id, at_utc_ns=at_utc_ns))

    def _forget_the_oldest(self) -> None:
        # Twice as many as are shown: a run in hand that was asked for before others is among them.
        kept = sorted(self._runs.values(), key=lambda run: run.at_utc_ns, reverse=True)[: 2 * self.limit]
        self._runs = {run.run_id: run for run in kept}


def _take_state(run: RunView, message: RunState) -> None:
    run.captures, run.capture_index = message.captures, message.capture_index
    run.state, run.reason, run.text = message.state, message.reason, message.text
    if not run.steps:
        run.at_utc_ns = min(run.at_utc_ns, message.at_utc_ns)
    if not run.steps or run.steps[-1][0] is not message.state:
        run.steps.append((message.state, message.at_utc_ns))


def _of(quantity: Quantity | None) -> tuple[float, float | None] | None:
    return None if quantity is None else (quantity.value, quantity.expanded_uncertainty_95)


def _pair(value: float | None, u95: float | None) -> tuple[float, float | None] | None:
    return None if value is None else (value, u95)
