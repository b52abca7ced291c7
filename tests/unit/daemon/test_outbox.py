"""Outbox: every end is written once and announced, whatever else stands in the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from daemon.announcer import Announcer
from daemon.outbox import End, Outbox
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from runners.broker_link import Outgoing
from runners.messages import MAX_PAYLOAD_BYTES, RunPhase
from runners.topics import Topics
from tests.unit.daemon.example_result import example_result
from tests.unit.daemon.stored_runs import add_run

BENCH = "b"
INTERRUPTED = End(state=RunPhase.INTERRUPTED, reason="daemon_stopped", text="it was stopped")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(sqlite_url(tmp_path), bench=BENCH) as opened:
        yield opened


def outbox_of(store: Store) -> tuple[Outbox, list[Outgoing]]:
    sent: list[Outgoing] = []
    return Outbox(store, Announcer(Topics(BENCH), sent.append, version="1")), sent


def accepted(store: Store, run_id: str) -> None:
    store.create_run(
        run_id=run_id, board="tx1", network="resnet18", batch_size=4, precision="fp32", images_planned=None, captures=1
    )


@pytest.mark.parametrize(
    "changes",
    [{"quality": "splendid"}, {"network": "n" * 2 * MAX_PAYLOAD_BYTES}, {"capture_ids": ["c" * 64] * 1500}],
    ids=["of another version", "out of bounds", "too long"],
)
async def test_a_result_that_cannot_be_published_holds_up_nothing(store: Store, changes: dict[str, object]) -> None:
    accepted(store, "odd")
    store.add_result(example_result(run_id="odd", result_id="r-odd") | changes)
    store.record("odd", event="analysed", state="done")
    add_run(store, "sound")
    outbox, sent = outbox_of(store)
    assert await outbox.deliver()
    topics = Topics(BENCH)
    told = [message.topic for message in sent if message.payload]
    assert told == [topics.state("odd"), topics.result("sound"), topics.state("sound")]
    assert await outbox.result_of("odd") is None


async def test_the_first_end_of_a_run_stands(store: Store) -> None:
    accepted(store, "r")
    outbox, _ = outbox_of(store)
    outbox.write_later("r", End(state=RunPhase.DONE, reason=None, text=None))
    outbox.write_later("r", INTERRUPTED)
    assert outbox.owes("r")
    assert await outbox.deliver()
    assert not outbox.owes("r")
    run = store.run("r")
    assert run is not None
    assert run.state is RunPhase.DONE
