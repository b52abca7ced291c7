import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from daemon.captures import CaptureReference
from daemon.errors import StoreError
from daemon.records import RunRecord
from daemon.store import Store
from runners.messages import RunPhase, RunResult
from tests.unit.daemon.example_result import example_result

REQUEST: dict[str, Any] = {
    "board": "tx1",
    "network": "resnet18",
    "batch_size": 4,
    "precision": "fp32",
    "images_planned": None,
    "captures": 2,
    "sync": ["marker"],
}


@pytest.fixture
def url(store_url: str) -> str:
    return store_url


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store(url) as store:
        yield store


def reference(capture_id: str) -> CaptureReference:
    path = Path("/data/captures") / f"{capture_id}.parquet"
    return CaptureReference(capture_id=capture_id, path=path, sha256="0" * 64, size_bytes=183_000)


def run_of(store: Store, run_id: str) -> RunRecord:
    run = store.run(run_id)
    assert run is not None
    return run


def test_a_run_keeps_what_was_asked_for(store: Store) -> None:
    assert store.create_run(run_id="r1", **REQUEST, at_utc_ns=17)

    run = run_of(store, "r1")
    assert {name: getattr(run, name) for name in REQUEST} == REQUEST | {"sync": ("marker",)}
    assert (run.state, run.reason, run.text, run.finished) == ("accepted", None, None, None)
    assert (run.requested_utc_ns, run.updated_utc_ns) == (17, 17)
    assert not run.is_terminal


def test_a_repeated_request_changes_nothing(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.record("r1", event="armed", state=RunPhase.ARMED)

    assert not store.create_run(run_id="r1", **REQUEST | {"network": "alexnet"})

    assert run_of(store, "r1").network == "resnet18"
    assert run_of(store, "r1").state == "armed"
    assert [entry.event for entry in store.journal("r1")] == ["request", "armed"]


def test_an_unknown_run_is_none(store: Store) -> None:
    assert store.run("nobody") is None
    assert store.latest_result("nobody") is None
    assert store.captures("nobody") == []
    assert store.journal("nobody") == []


def test_a_state_comes_with_its_reason_and_its_journal_entry(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST, at_utc_ns=1)
    store.record(
        "r1",
        event="expired",
        state=RunPhase.FAILED,
        reason="no_trigger",
        text="none in 60 s",
        detail={"s": 60},
        at_utc_ns=2,
    )

    run, entry = run_of(store, "r1"), store.journal("r1")[-1]
    assert (run.state, run.reason, run.text, run.updated_utc_ns) == ("failed", "no_trigger", "none in 60 s", 2)
    assert (entry.event, entry.state, entry.at_utc_ns) == ("expired", "failed", 2)
    assert entry.detail == {"reason": "no_trigger", "text": "none in 60 s", "s": 60}


def test_an_event_without_a_state_leaves_the_run_as_it_is(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST, at_utc_ns=1)
    store.record("r1", event="started", at_utc_ns=2)

    assert (run_of(store, "r1").state, run_of(store, "r1").updated_utc_ns) == ("accepted", 1)
    assert store.journal("r1")[-1].state is None


def test_the_daemon_has_a_journal_of_its_own(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.record(None, event="daemon_started", detail={"version": "0.1.0"})

    assert [(entry.event, entry.run_id, entry.detail) for entry in store.journal()] == [
        ("daemon_started", None, {"version": "0.1.0"})
    ]


@pytest.mark.parametrize("end", ["done", "rejected", "failed", "interrupted"])
def test_an_end_is_final(store: Store, end: str) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.record("r1", event="end", state=RunPhase(end))

    with pytest.raises(StoreError, match=f"run 'r1' into state 'armed': it has ended as '{end}'"):
        store.record("r1", event="late", state=RunPhase.ARMED)

    assert run_of(store, "r1").state == end
    assert [entry.event for entry in store.journal("r1")] == ["request", "end"]


def test_a_state_for_an_unknown_run_is_refused_and_not_journalled(store: Store) -> None:
    with pytest.raises(StoreError, match="no such run"):
        store.record("nobody", event="armed", state=RunPhase.ARMED)
    with pytest.raises(StoreError, match="nobody"):
        store.record("nobody", event="started")
    with pytest.raises(StoreError, match="nobody"):
        store.record_finished("nobody", {})

    assert store.journal("nobody") == []


@pytest.mark.parametrize("no_json", [object(), float("nan")])
def test_state_and_journal_change_together_or_not_at_all(store: Store, no_json: object) -> None:
    store.create_run(run_id="r1", **REQUEST)

    with pytest.raises(StoreError, match="record 'armed' of run 'r1'"):
        store.record("r1", event="armed", state=RunPhase.ARMED, detail={"no": no_json})

    assert run_of(store, "r1").state == "accepted"
    assert len(store.journal("r1")) == 1


def test_the_boards_report_is_kept_and_a_repeated_one_replaces_it(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.record_finished("r1", {"images": 1, "batch_durations_ns": []})
    store.record_finished("r1", {"images": 96, "batch_durations_ns": [10, 12]})

    assert run_of(store, "r1").finished == {"images": 96, "batch_durations_ns": [10, 12]}
    assert [entry.event for entry in store.journal("r1")] == ["request", "report", "report"]


def test_runs_come_newest_first_and_no_more_than_asked(store: Store) -> None:
    for at, run_id in ((2, "middle"), (1, "old"), (3, "new")):
        store.create_run(run_id=run_id, **REQUEST, at_utc_ns=at)

    assert [run.run_id for run in store.runs()] == ["new", "middle", "old"]
    assert [run.run_id for run in store.runs(2)] == ["new", "middle"]
    assert store.run_count() == 3


def test_unfinished_runs_are_those_that_have_not_ended_oldest_first(store: Store) -> None:
    states = ["done", "captured", "rejected", "armed", "failed", "analysing", "interrupted", "accepted"]
    for at, state in enumerate(states):
        store.create_run(run_id=f"r{at}", **REQUEST, at_utc_ns=100 - at)
        store.record(f"r{at}", event="x", state=RunPhase(state))

    assert [run.state for run in store.unfinished_runs()] == ["accepted", "analysing", "armed", "captured"]


def test_captures_come_in_the_order_they_were_taken(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.add_capture("r1", 1, reference("r1_1"), at_utc_ns=20)
    store.add_capture("r1", 0, reference("r1_0"), at_utc_ns=10)

    captures = store.captures("r1")
    assert [(capture.capture_index, capture.name) for capture in captures] == [(0, "r1_0.parquet"), (1, "r1_1.parquet")]
    assert (captures[0].sha256, captures[0].size_bytes, captures[0].at_utc_ns) == ("0" * 64, 183_000, 10)


def test_a_capture_is_entered_once_and_only_for_a_run(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.add_capture("r1", 0, reference("r1_0"))

    with pytest.raises(StoreError, match="capture 'r1_0' of run 'r1'"):
        store.add_capture("r1", 1, reference("r1_0"))
    with pytest.raises(StoreError, match="capture 'x_0' of run 'nobody'"):
        store.add_capture("nobody", 0, reference("x_0"))

    assert len(store.captures("r1")) == 1


def test_a_result_keeps_its_document_and_the_columns_one_asks_by(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    document = example_result(run_id="r1", result_id="e1")
    store.add_result(document)

    result = store.latest_result("r1")
    assert result is not None
    assert result.document == document
    assert (result.network, result.batch_size, result.quality) == ("resnet18", 4, "degraded")
    assert (result.gross_energy_per_image_j, result.gross_u95_j) == (0.3141592653589793, 0.0123)
    assert (result.net_energy_per_image_j, result.net_u95_j) == (0.25, 0.0124)


def test_a_published_message_is_a_document(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    message = RunResult.model_validate(example_result(run_id="r1", result_id="e1"))
    store.add_result(message.model_dump(mode="json"))

    result = store.latest_result("r1")
    assert result is not None
    assert RunResult.model_validate(result.document) == message


def test_what_could_not_be_measured_is_none_and_not_zero(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    absent = {"gross_energy_per_image_j": None, "net_energy_per_image_j": None, "quality": "invalid"}
    store.add_result(example_result(run_id="r1", result_id="e1") | absent)

    result = store.latest_result("r1")
    assert result is not None
    assert (result.gross_energy_per_image_j, result.gross_u95_j) == (None, None)
    assert (result.net_energy_per_image_j, result.net_u95_j) == (None, None)


def test_a_second_result_stands_beside_the_first(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.add_result(example_result(run_id="r1", result_id="again", at_utc_ns=200))
    store.add_result(example_result(run_id="r1", result_id="first", at_utc_ns=100))

    assert [result.result_id for result in store.results("r1")] == ["again", "first"]
    newest = store.latest_result("r1")
    assert newest is not None
    assert newest.result_id == "again"


def test_a_result_is_never_overwritten(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.add_result(example_result(run_id="r1", result_id="e1"))

    with pytest.raises(StoreError, match="result 'e1' of run 'r1'"):
        store.add_result(example_result(run_id="r1", result_id="e1") | {"quality": "valid"})

    assert [result.quality for result in store.results("r1")] == ["degraded"]


@pytest.mark.parametrize("field", ["result_id", "run_id", "gross_energy_per_image_j", "quality"])
def test_a_document_without_a_field_is_refused_by_name(store: Store, field: str) -> None:
    store.create_run(run_id="r1", **REQUEST)
    document = example_result(run_id="r1", result_id="e1")
    del document[field]

    with pytest.raises(StoreError, match=f"lacks '{field}'"):
        store.add_result(document)


def test_everything_is_there_after_opening_again(url: str) -> None:
    with Store(url) as store:
        store.create_run(run_id="r1", **REQUEST)
        store.add_capture("r1", 0, reference("r1_0"))
        store.add_result(example_result(run_id="r1", result_id="e1"))
        before = (store.run("r1"), store.captures("r1"), store.results("r1"), store.journal("r1"))

    with Store(url, create=False) as store:
        assert (store.run("r1"), store.captures("r1"), store.results("r1"), store.journal("r1")) == before


def test_threads_write_at_the_same_time_and_nothing_is_lost(store: Store) -> None:
    together = threading.Barrier(8)

    def write(worker: int) -> None:
        together.wait()
        for index in range(10):
            run_id = f"w{worker}-{index}"
            store.create_run(run_id=run_id, **REQUEST)
            store.record(run_id, event="armed", state=RunPhase.ARMED)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert len(store.runs(1000)) == 80
    assert {run.state for run in store.runs(1000)} == {"armed"}


def test_of_equal_requests_at_the_same_time_exactly_one_makes_the_run(store: Store) -> None:
    together = threading.Barrier(8)

    def create(_: int) -> bool:
        together.wait()
        return store.create_run(run_id="r1", **REQUEST)

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(create, range(8)))

    assert sum(made) == 1
    assert len(store.journal("r1")) == 1


def test_a_reader_beside_the_daemon_sees_what_is_committed(url: str, store: Store) -> None:
    with Store(url, create=False) as reader:
        store.create_run(run_id="r1", **REQUEST)
        assert run_of(reader, "r1").state == "accepted"
        store.record("r1", event="armed", state=RunPhase.ARMED)
        assert run_of(reader, "r1").state == "armed"


def test_a_character_that_no_text_of_postgresql_can_hold_is_replaced_in_texts(store: Store) -> None:
    store.create_run(run_id="r1", **REQUEST)
    store.record("r1", event="abort", state="failed", reason="board", text="a\0b", detail={"said": "a\0b"})

    assert run_of(store, "r1").text == "a\N{REPLACEMENT CHARACTER}b"
    assert store.journal("r1")[-1].detail["said"] == "a\0b"


def test_two_benches_on_one_database_leave_each_others_runs_alone(url: str) -> None:
    with Store(url, bench="a") as ours, Store(url, bench="b") as theirs, Store(url) as lab:
        assert ours.create_run(run_id="r", **REQUEST)
        assert [run.run_id for run in ours.unfinished_runs()] == ["r"]

        assert theirs.unfinished_runs() == []
        assert theirs.run("r") is None
        assert theirs.bench_of("r") == "a"
        assert not theirs.create_run(run_id="r", **REQUEST)
        with pytest.raises(StoreError, match="there is no such run"):
            theirs.record("r", event="end", state="failed")
        with pytest.raises(StoreError, match="there is no run 'r'"):
            theirs.record_finished("r", {})

        assert [(run.run_id, run.bench, run.state) for run in lab.runs()] == [("r", "a", "accepted")]
        assert run_of(lab, "r") == run_of(ours, "r")
        assert [(entry.event, entry.bench) for entry in lab.journal("r")] == [("request", "a")]


def test_each_daemon_has_a_journal_of_its_own(url: str) -> None:
    with Store(url, bench="a") as ours, Store(url, bench="b") as theirs, Store(url) as lab:
        ours.record(None, event="here")
        theirs.record(None, event="there")

        assert [entry.event for entry in ours.journal()] == ["here"]
        assert [entry.event for entry in theirs.journal()] == ["there"]
        assert [entry.event for entry in lab.journal()] == ["here", "there"]


def test_the_last_runs_of_one_bench_are_not_pushed_out_by_anothers(url: str) -> None:
    with Store(url, bench="a") as ours, Store(url, bench="b") as theirs:
        for number in range(3):
            ours.create_run(run_id=f"a{number}", **REQUEST, at_utc_ns=number)
            theirs.create_run(run_id=f"b{number}", **REQUEST, at_utc_ns=100 + number)
        assert [run.run_id for run in ours.runs(2)] == ["b2", "b1"]
        assert [run.run_id for run in ours.runs(2, ours=True)] == ["a2", "a1"]
        assert [run.run_id for run in ours.runs(2, ours=True, offset=2)] == ["a0"]


def test_the_newest_result_of_each_run_comes_in_one_reading(store: Store) -> None:
    for run_id in ("r1", "r2", "r3"):
        store.create_run(run_id=run_id, **REQUEST)
    for run_id, result_id, at in (("r1", "old", 1), ("r2", "only", 5), ("r1", "new", 2)):
        result = example_result(run_id=run_id, result_id=result_id, at_utc_ns=at)
        store.add_result(result)
    found = store.latest_results(["r1", "r2", "r3"])
    assert {run_id: one.result_id for run_id, one in found.items()} == {"r1": "new", "r2": "only"}
    assert found["r1"] == store.latest_result("r1")
    assert store.latest_results([]) == {}
