"""Tables of runs."""

from pathlib import Path

import pytest
from rich.console import Console

from daemon.cli.runs_table import LONGEST_DETAIL, journal_table, runs_table
from daemon.records import JournalEntry
from daemon.store import Store
from tests.unit.daemon.stored_runs import add_run


def printed(detail: dict[str, object]) -> str:
    entry = JournalEntry(entry_id=1, run_id="r", at_utc_ns=0, event="finished", state=None, detail=detail)
    console = Console(width=400)
    with console.capture() as capture:
        console.print(journal_table([entry]))
    return capture.get()


@pytest.mark.parametrize(
    ("width", "told"), [(80, ["valid", "0.500 ± 0.020"]), (100, ["valid", "net J/image"]), (130, ["done", "bench-pi"])]
)
def test_a_list_tells_each_runs_whole_name_on_any_terminal(tmp_path: Path, width: int, told: list[str]) -> None:
    with Store(f"sqlite:///{tmp_path / 'joulebench.sqlite'}") as store:
        for number in range(3):
            add_run(store, f"night-1c712513-000{number}-1", network="inception_v3", board="bench-pi", energy_j=0.5)
        rows = [(run, store.latest_result(run.run_id)) for run in store.runs(10)]
    console = Console(width=width)
    with console.capture() as capture:
        console.print(runs_table(rows, width=width))
    text = capture.get()
    assert "…" not in text
    assert text.count("inception_v3") == 3
    assert all(run.run_id in text for run, _ in rows)
    assert all(word in text for word in told)


def test_a_short_detail_is_told_whole() -> None:
    assert '{"images": 12}' in printed({"images": 12})


def test_a_boards_report_of_thousands_of_times_is_cut_and_says_where_all_of_it_is() -> None:
    text = printed({"batch_durations_ns": list(range(4000))})
    assert "… (all of it: --json)" in text
    assert len(text.splitlines()[4]) < LONGEST_DETAIL + 120
