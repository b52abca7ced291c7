"""What `joulebench watch` shows: states in words, no line longer than the terminal, no name taken for markup."""

import io
from typing import Any

import pytest
from rich.console import Console

from daemon.cli.watch_lines import line_of
from daemon.cli.watch_table import duration_text, watch_screen
from daemon.watch.bench_view import BenchView
from daemon.watch.happening import Happening
from runners.messages import BoardStatus, Presence, RunPhase, RunResult
from tests.unit.daemon.example_result import example_result
from tests.unit.daemon.watch.heard import SECOND_NS, TOPICS, daemon, heard, link, request, state


def view_of(*happenings: Happening) -> BenchView:
    view = BenchView("b1", limit=20)
    for one in happenings:
        view.hear(one)
    return view


def shown(view: BenchView, *, width: int = 100, now_s: int = 20, **room: Any) -> str:
    out = io.StringIO()
    screen = watch_screen(view, now_utc_ns=now_s * SECOND_NS, width=width, **room)
    Console(file=out, width=width).print(screen)
    return out.getvalue()


def result(run_id: str = "r", at_s: int = 0) -> Happening:
    document = example_result(run_id=run_id, result_id="e")
    return heard(TOPICS.result(run_id), RunResult.model_validate(document), at_s)


IN_HAND = (
    link(True),
    daemon("r"),
    request("r", 10),
    state("r", RunPhase.ACCEPTED, 11),
    state("r", RunPhase.ARMED, 12, captures=4, capture_index=1),
)


def test_the_run_in_hand_has_its_steps_and_captures() -> None:
    text = shown(view_of(*IN_HAND), now_s=77)
    assert "the bench measures r" in text
    assert "accepted > armed 0:01:05 > captured > analysing > done" in text
    assert "█████░░░░░░░░░░░░░░░ 1 of 4 captures" in text
    assert "resnet18, batch 4, board jetson" in text


def test_the_last_runs_have_energy_and_verdict() -> None:
    view = view_of(link(True), daemon(), result(), state("bad", RunPhase.REJECTED, reason="supply_off", text="off"))
    text = shown(view)
    assert "0.314 ± 0.012" in text
    assert "degraded: calibration_missing" in text
    assert "rejected: supply_off" in text
    assert "± holds the true value with 95 %" in text


@pytest.mark.parametrize(("width", "named"), [(80, False), (140, True)])
def test_it_fits_the_terminal(width: int, named: bool) -> None:
    view = view_of(*IN_HAND, *(result(f"a-run-of-a-long-name-{n}", n) for n in range(20)))
    lines = shown(view, width=width, height=24).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24
    assert any("a-run-of-a-long-name-19" in line for line in lines) is named
    assert sum("0.314 ± 0.012" in line for line in lines) >= 5, "no row is broken over two lines"


@pytest.mark.parametrize(
    ("happenings", "words"),
    [
        ((link(False, "broker h:1 is lost (gone); waiting for it"),), "is lost (gone); waiting for it"),
        ((link(True),), "no daemon has ever said anything of itself here"),
        ((link(True), daemon(state=Presence.OFFLINE)), "the daemon is not there; waiting for it"),
        ((link(True), daemon()), "daemon 0.1.0 is there, the bench is free"),
    ],
)
def test_how_the_bench_is_stands_in_words(happenings: tuple[Happening, ...], words: str) -> None:
    assert words in " ".join(shown(view_of(*happenings)).split())


def test_names_are_no_markup() -> None:
    text = shown(view_of(link(False, "[red]lost[/]"), state("bad", RunPhase.FAILED, reason="x", text="[b]y[/b]")))
    assert "[red]lost[/]" in text


def line(*happenings: Happening) -> str:
    text = line_of(happenings[-1], view_of(*happenings))
    return text.partition("Z ")[2]


def test_each_happening_is_one_line() -> None:
    assert line(link(True, "broker h:1 is connected")) == "broker h:1 is connected"
    assert line(link(True), daemon()) == "daemon 0.1.0 is there, the bench is free"
    assert line(request("r")) == "run r: asked for, resnet18, batch 4, board jetson"
    assert line(state("r", RunPhase.ARMED, captures=2, capture_index=1)) == "run r: armed (1 of 2 captures)"
    assert line(state("r", RunPhase.ARMED)) == "run r: armed"
    assert line(state("r", RunPhase.FAILED, reason="no_edge", text="none")) == "run r: failed: no_edge: none"
    energies = "gross 0.314 ± 0.012 J, net 0.2000 ± 0.0050 J per image (95 %)"
    assert line(result()).startswith(f"run r: {energies.partition(',')[0]}")
    assert line(result()).endswith("degraded: calibration_missing")
    board = BoardStatus(state=Presence.ONLINE, board="jetson", busy_run="r", busy_campaign="night")
    assert line(heard(TOPICS.board_status("jetson"), board)) == "board jetson: runs r, campaign night"


def test_clocks_that_differ_give_no_negative_duration() -> None:
    assert duration_text(-5 * SECOND_NS) == "0:00:00"
