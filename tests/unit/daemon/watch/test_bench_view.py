"""Bench view: what was heard, held together with what is stored."""

from pathlib import Path

import pytest

from daemon.errors import StoreError
from daemon.sections.storage import sqlite_url
from daemon.store import Store
from daemon.watch.bench_view import BenchView
from daemon.watch.happening import Happening, happening_of
from daemon.watch.past_runs import past_runs
from runners.messages import BoardStatus, Presence, RunPhase, RunResult
from tests.unit.daemon.example_result import example_result
from tests.unit.daemon.stored_runs import add_run
from tests.unit.daemon.watch.heard import SECOND_NS, TOPICS, daemon, heard, link, request, state


def view_of(*happenings: Happening, limit: int = 10) -> BenchView:
    view = BenchView("b1", limit=limit)
    for one in happenings:
        view.hear(one)
    return view


def result(run_id: str) -> Happening:
    return heard(TOPICS.result(run_id), RunResult.model_validate(example_result(run_id=run_id, result_id="e")))


def test_a_run_is_followed_from_its_request_to_its_energy() -> None:
    steps = [state("r", phase, at) for at, phase in ((11, RunPhase.ACCEPTED), (12, RunPhase.ARMED))]
    view = view_of(link(True), daemon("r"), request("r", 10, captures=2), *steps)
    run = view.in_hand
    assert run is not None
    assert (run.board, run.network, run.batch_size, run.captures) == ("jetson", "resnet18", 4, 1)
    assert run.steps == [(RunPhase.ACCEPTED, 11 * SECOND_NS), (RunPhase.ARMED, 12 * SECOND_NS)]
    view.hear(result("r"))
    view.hear(state("r", RunPhase.DONE, 20))
    view.hear(daemon())
    assert view.in_hand is None
    assert (run.gross, run.quality, run.reasons) == ((0.3141592653589793, 0.0123), "degraded", ("calibration_missing",))


@pytest.mark.parametrize(
    ("phases", "index", "taken"),
    [([RunPhase.ARMED], 0, 0), ([RunPhase.ARMED], 2, 2), ([RunPhase.ARMED, RunPhase.CAPTURED], 2, 3)],
)
def test_captures_are_counted_once_they_are_safe(phases: list[RunPhase], index: int, taken: int) -> None:
    view = view_of(link(True), daemon("r"), *(state("r", one, captures=3, capture_index=index) for one in phases))
    assert view.in_hand is not None
    assert view.in_hand.captures_taken == taken


def test_nothing_is_in_hand_of_a_daemon_that_is_not_there() -> None:
    view = view_of(link(True), daemon("r"), state("r", RunPhase.ARMED))
    assert view.in_hand is not None
    view.hear(link(False, "lost"))
    assert (view.in_hand, view.daemon_is_there, view.link_text) == (None, False, "lost")
    view.hear(link(True))
    view.hear(daemon("r", Presence.OFFLINE))
    assert (view.in_hand, view.daemon_is_there) == (None, False)


def test_the_newest_runs_are_kept_and_the_others_forgotten() -> None:
    view = view_of(*(request(f"r{at}", at) for at in range(50)), limit=3)
    assert [run.run_id for run in view.runs] == ["r49", "r48", "r47"]
    assert len(view.document()["runs"]) == 3


def test_what_ended_unheard_is_known_from_the_store(tmp_path: Path) -> None:
    with Store(sqlite_url(tmp_path), bench="b1") as store:
        add_run(store, "r", energy_j=0.5, quality="degraded")
        add_run(store, "old", energy_j=None, quality="invalid")
    with Store(sqlite_url(tmp_path), bench="other") as store:
        add_run(store, "of-another-bench")
    view = view_of(link(True), daemon("r"), state("r", RunPhase.ARMED))
    view.know(past_runs(sqlite_url(tmp_path), "b1", 10))
    runs = {run.run_id: run for run in view.runs}
    assert set(runs) == {"r", "old"}
    assert (runs["r"].state, runs["r"].gross, runs["r"].quality) == (RunPhase.DONE, (0.5, 0.02), "degraded")
    assert runs["old"].gross is None, "what was not measured is not 0"


def test_another_bench_of_the_database_crowds_out_no_past_run(tmp_path: Path) -> None:
    with Store(sqlite_url(tmp_path), bench="b1") as store:
        for at in range(3):
            add_run(store, f"ours-{at}")
    with Store(sqlite_url(tmp_path), bench="other") as store:
        for at in range(12):
            add_run(store, f"theirs-{at}")
    found = past_runs(sqlite_url(tmp_path), "b1", 12)
    assert {run.run_id for run, _ in found} == {"ours-0", "ours-1", "ours-2"}


def test_a_store_that_is_not_there_is_an_error_and_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        past_runs(sqlite_url(tmp_path / "none"), "b1", 3)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("topic", "payload"),
    [(TOPICS.state("r"), b""), (TOPICS.state("r"), b"{"), (TOPICS.query("r"), b'{"v": 1}'), ("else/where", b"{}")],
)
def test_what_tells_nothing_is_passed_over(topic: str, payload: bytes) -> None:
    assert happening_of(topic, payload, at_utc_ns=1) is None


def test_the_document_holds_what_is_known() -> None:
    board = heard(TOPICS.board_status("jetson"), BoardStatus(state=Presence.ONLINE, board="jetson"))
    document = view_of(link(True), daemon("r"), board, request("r", 1), state("r", RunPhase.ACCEPTED, 2)).document()
    assert (document["bench"], document["connected"], document["run_in_hand"]) == ("b1", True, "r")
    assert document["boards"][0]["board"] == "jetson"
    assert document["runs"][0]["gross_energy_per_image_j"] is None
    assert document["runs"][0]["state"] == "accepted"
