"""Announcer: what the daemon says over MQTT, in the words of the contract."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from daemon.lifecycle import Progress
from daemon.records import RunRecord
from runners.broker_link import Outgoing
from runners.messages import DaemonStatus, Presence, RunAnswer, RunPhase, RunResult, RunState, encode
from runners.topics import Topics

TEXT_LIMIT = 1000
"""Longest text that a message may carry."""


class Announcer:
    """Turns progress and results into messages and hands them to an outbox."""

    def __init__(self, topics: Topics, publish: Callable[[Outgoing], None], *, version: str) -> None:
        self._topics = topics
        self._publish = publish
        self._version = version
        self._instruments: dict[str, str] = {}
        self._current_run: str | None = None

    @property
    def bench(self) -> str:
        """The bench that it speaks for."""
        return self._topics.bench

    @property
    def instruments(self) -> Mapping[str, str]:
        """Identity of each instrument by its role, as it was last opened."""
        return self._instruments

    def progress(self, run_id: str, progress: Progress) -> None:
        """Publish where a run stands; retained while it goes on, cleared once it is over."""
        self.state(
            RunState(
                run_id=run_id,
                state=progress.phase,
                reason=progress.reason,
                text=fit(progress.text),
                capture_index=min(progress.captures_taken, progress.captures_planned - 1),
                captures=progress.captures_planned,
                at_utc_ns=time.time_ns(),
            ),
            retain=not progress.over,
        )

    def state(self, state: RunState, *, retain: bool, on_settled: Callable[[bool], None] = lambda _: None) -> None:
        """Publish a state; one that ends a run also clears what the broker keeps of it.

        Args:
            state: the state.
            retain: whether the broker keeps it.
            on_settled: told whether the broker has it, once the last message of it is acknowledged or dropped.
        """
        topic = self._topics.state(state.run_id)
        said = Outgoing(topic=topic, payload=encode(state), retain=retain)
        if retain:
            self._publish(replace(said, on_settled=on_settled))
        else:
            self._publish(said)
            self._publish(Outgoing(topic=topic, payload=b"", retain=True, on_settled=on_settled))

    def end(self, run: RunRecord, result: RunResult | None, *, on_settled: Callable[[bool], None]) -> None:
        """Publish how a run ended, its result first."""
        if result is not None:
            self.result(result)
        self.stored_state(run, on_settled=on_settled)

    def stored_state(self, run: RunRecord, *, on_settled: Callable[[bool], None] = lambda _: None) -> None:
        """Publish what became of a run, as the database has it."""
        state = RunState(
            run_id=run.run_id,
            state=RunPhase(run.state),
            reason=run.reason,
            text=fit(run.text),
            capture_index=0,
            captures=run.captures,
            at_utc_ns=run.updated_utc_ns,
        )
        self.state(state, retain=not run.is_terminal, on_settled=on_settled)

    def rejection(self, run_id: str, *, reason: str, text: str) -> None:
        """Publish that a request was rejected before it became a run."""
        state = RunState(
            run_id=run_id,
            state=RunPhase.REJECTED,
            reason=reason,
            text=fit(text),
            capture_index=0,
            captures=1,
            at_utc_ns=time.time_ns(),
        )
        self.state(state, retain=False)

    def result(self, result: RunResult) -> None:
        """Publish a result."""
        self._publish(Outgoing(topic=self._topics.result(result.run_id), payload=encode(result)))

    def answer(self, answer: RunAnswer) -> None:
        """Publish what became of a run that somebody asked about."""
        self._publish(Outgoing(topic=self._topics.answer(answer.run_id), payload=encode(answer)))

    def status(self, **changes: Any) -> None:
        """Publish the daemon's own state; `instruments` and `current_run` may be changed on the way."""
        self._instruments = changes.get("instruments", self._instruments)
        self._current_run = changes.get("current_run", self._current_run)
        self._publish(Outgoing(topic=self._topics.status, payload=encode(self._status()), retain=True))

    @property
    def will(self) -> Outgoing:
        """What the broker says when the daemon is lost, and the daemon when it leaves."""
        return farewell(self._topics, version=self._version)

    def _status(self) -> DaemonStatus:
        return DaemonStatus(
            state=Presence.ONLINE,
            bench=self._topics.bench,
            version=self._version,
            instruments=self._instruments,
            current_run=self._current_run,
        )


def farewell(topics: Topics, *, version: str) -> Outgoing:
    """Return the message that a daemon is gone."""
    lost = DaemonStatus(state=Presence.OFFLINE, bench=topics.bench, version=version)
    return Outgoing(topic=topics.status, payload=encode(lost), retain=True)


def fit(text: str | None) -> str | None:
    """Return a text that fits into a message; what is cut stands in full in the journal."""
    return text if text is None or len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 3] + "..."
