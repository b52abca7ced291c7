"""Tables of runs."""

from rich.console import Console

from daemon.cli.runs_table import LONGEST_DETAIL, journal_table
from daemon.records import JournalEntry


def printed(detail: dict[str, object]) -> str:
    entry = JournalEntry(entry_id=1, run_id="r", at_utc_ns=0, event="finished", state=None, detail=detail)
    console = Console(width=400)
    with console.capture() as capture:
        console.print(journal_table([entry]))
    return capture.get()


def test_a_short_detail_is_told_whole() -> None:
    assert '{"images": 12}' in printed({"images": 12})


def test_a_boards_report_of_thousands_of_times_is_cut_and_says_where_all_of_it_is() -> None:
    text = printed({"batch_durations_ns": list(range(4000))})
    assert "… (all of it: --json)" in text
    assert len(text.splitlines()[4]) < LONGEST_DETAIL + 120
