"""The log: how a line looks, which run it names, where it goes."""

import asyncio
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from daemon.cli.log import LogDestination, LogFormat, LogLevel, configure_log, leads_to_journal
from daemon.cli.log_lines import JournalLines, JsonLines, RunFilter, TextLines, priority_of
from instruments.worker import InstrumentWorker
from runners.run_context import about_run, current_run

HEAD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (\w+) +\[(\S+) (\S+)\] (\S+): (.*)")


@pytest.fixture(autouse=True)
def own_handlers() -> Iterator[None]:
    """A log that is configured in this process takes the tests' own handlers away."""
    before = logging.root.handlers[:]
    logging.root.handlers = []
    yield
    for handler in logging.root.handlers:
        handler.close()
    logging.root.handlers = before


def record(text: str, *arguments: object, level: int = logging.INFO, exc_info: object = None) -> logging.LogRecord:
    made = logging.LogRecord("daemon.x", level, __file__, 1, text, arguments, exc_info)  # type: ignore[arg-type]
    made.created = 1_790_000_000.1239
    assert RunFilter("bench-1").filter(made)
    return made


def broken() -> logging.LogRecord:
    try:
        raise ZeroDivisionError("by nothing")
    except ZeroDivisionError:
        return record("it broke", level=logging.ERROR, exc_info=sys.exc_info())


def test_a_line_has_utc_to_the_millisecond_level_bench_run_and_logger() -> None:
    with about_run("r18-a"):
        line = TextLines().format(record("armed in %g s", 0.5))
    assert line == "2026-09-21T14:13:20.123Z INFO    [bench-1 r18-a] daemon.x: armed in 0.5 s"


def test_a_line_about_no_run_says_so() -> None:
    assert "[bench-1 -]" in TextLines().format(record("bench open"))


def test_each_line_of_a_trace_has_the_head() -> None:
    with about_run("r18-a"):
        lines = TextLines().format(broken()).split("\n")
    assert len(lines) > 3
    found = [HEAD.fullmatch(line) for line in lines]
    assert all(one is not None and one[3] == "r18-a" for one in found)
    assert found[-1] is not None
    assert found[-1][5] == "ZeroDivisionError: by nothing"


def test_what_came_over_the_network_can_be_no_line_of_its_own() -> None:
    line = TextLines().format(record("said %s", "x\r\x1b[2J\x85y"))
    assert line.endswith(r"said x\x0d\x1b[2J\x85y")
    forged = TextLines().format(record("said %s", "x\n2026-01-01T00:00:00.000Z ERROR [bench-1 -] forged"))
    assert all(line.startswith("2026-09-21T14:13:20.123Z INFO ") for line in forged.split("\n"))


@pytest.mark.parametrize(
    ("level", "priority"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2)],
)
def test_the_journal_is_told_the_priority_of_each_line(level: int, priority: int) -> None:
    assert priority_of(level) == priority
    lines = JournalLines().format(record("one\ntwo", level=level)).split("\n")
    assert lines == [f"<{priority}>[bench-1 -] daemon.x: one", f"<{priority}>[bench-1 -] daemon.x: two"]


def test_json_is_one_object_a_record() -> None:
    with about_run("r18-a"):
        text = JsonLines().format(broken())
    assert "\n" not in text
    document = json.loads(text)
    assert document["trace"].endswith("ZeroDivisionError: by nothing")
    del document["trace"]
    assert document == {
        "time": "2026-09-21T14:13:20.123Z",
        "level": "error",
        "place": "bench-1",
        "run_id": "r18-a",
        "logger": "daemon.x",
        "thread": "MainThread",
        "text": "it broke",
    }


def test_standard_error_that_the_journal_reads_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "stream").open("w") as stream, (tmp_path / "other").open("w") as other:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        assert leads_to_journal(stream)
        assert not leads_to_journal(other)
        monkeypatch.setattr(sys, "stderr", stream)
        assert type(LogDestination().formatter()) is JournalLines
        assert type(LogDestination(format=LogFormat.TEXT).formatter()) is TextLines
        assert type(LogDestination(file=tmp_path / "log").formatter()) is TextLines
        monkeypatch.setattr(sys, "stderr", other)
        assert type(LogDestination().formatter()) is TextLines


def test_a_file_is_put_aside_at_its_size_and_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.cli.log.MB", 1000)
    configure_log(LogLevel.INFO, place="b", to=LogDestination(file=tmp_path / "log", file_mb=1, files=2))
    for count in range(200):
        logging.getLogger("x").info("line %d", count)
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 1000 for path in kept)
    assert "line 199" in kept[0].read_text()


def test_a_file_in_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="there is no folder"):
        LogDestination(file=tmp_path / "missing" / "log").handler()


async def test_the_run_goes_along_through_tasks_and_threads(tmp_path: Path) -> None:
    configure_log(LogLevel.INFO, place="b", to=LogDestination(file=tmp_path / "log"))
    say = logging.getLogger("x").info
    worker = InstrumentWorker("scope")

    async def conduct(run_id: str) -> None:
        say("task of %s", run_id)
        await asyncio.to_thread(say, "thread of %s", run_id)
        await worker.run(say, f"instrument of {run_id}", deadline_s=10.0)

    tasks = []
    for run_id in ("r1", "r2"):
        with about_run(run_id):
            tasks.append(asyncio.create_task(conduct(run_id)))
    assert current_run() is None
    say("between of -")
    await asyncio.gather(*tasks)
    worker.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 7
    for line in lines:
        found = HEAD.fullmatch(line)
        assert found is not None, line
        assert found[3] == found[5].split(" of ")[1], line
