"""What a bench says, for tests of who listens."""

from typing import Any

from daemon.watch.happening import Happening, HappeningKind, happening_of
from runners.messages import DaemonStatus, Message, Presence, RunPhase, RunRequest, RunState, encode
from runners.topics import Topics

TOPICS = Topics("b1")
SECOND_NS = 1_000_000_000


def link(connected: bool, text: str = "broker h:1 is connected") -> Happening:
    return Happening(kind=HappeningKind.LINK, at_utc_ns=0, connected=connected, text=text)


def heard(topic: str, message: Message, at_s: int = 0) -> Happening:
    found = happening_of(topic, encode(message), at_utc_ns=at_s * SECOND_NS)
    assert found is not None
    return found


def daemon(current_run: str | None = None, state: Presence = Presence.ONLINE) -> Happening:
    status = DaemonStatus(
        state=state, bench="b1", version="0.1.0", instruments={"probe": "1146B"}, current_run=current_run
    )
    return heard(TOPICS.status, status)


def request(run_id: str, at_s: int = 0, **changes: Any) -> Happening:
    message = RunRequest(**({"network": "resnet18", "batch_size": 4} | changes))
    return heard(TOPICS.request("jetson", run_id), message, at_s)


def state(run_id: str, phase: RunPhase, at_s: int = 0, **changes: Any) -> Happening:
    message = RunState(run_id=run_id, state=phase, at_utc_ns=at_s * SECOND_NS, **changes)
    return heard(TOPICS.state(run_id), message, at_s)
