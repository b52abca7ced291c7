"""Any program as a workload: its lines told as batches, and its sure end, against real processes."""

import os
import re
import signal
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from runners.errors import ProgramFailed, WorkloadError
from runners.line_splitter import LONGEST_LINE, LineSplitter
from runners.markers import NoMarker
from runners.output_relay import BUFFER_BYTES, OutputRelay
from runners.program_plan import BatchIs, MarkerBy, ProgramPlan, WhenMeasured
from runners.program_workload import ProgramMarker, ProgramWorkload
from runners.workload import WorkloadReport
from tests.unit.runners.stub_workload import LevelLog, order

DEADLINE_S = 10.0


class Show:
    """What the user sees of a program."""

    def __init__(self) -> None:
        self.seen = b""

    def __call__(self, data: bytes) -> None:
        self.seen += data


def script(folder: Path, text: str) -> tuple[str, ...]:
    """Return the command of a program of so many lines of shell."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return (str(path),)


@pytest.fixture
def workload(tmp_path: Path) -> Callable[..., ProgramWorkload]:
    """Make a workload of shell lines and of a plan's options; whatever happens, it is released."""
    made: list[ProgramWorkload] = []

    def make(text: str, *, batch_size: int = 2, show: Any = None, **options: Any) -> ProgramWorkload:
        for name in ("images_pattern", "start_pattern", "warm_line"):
            if name in options:
                options[name] = re.compile(options[name])
        plan = ProgramPlan(command=script(tmp_path, text), **({"grace_s": 0.2} | options))
        command = order(images_planned=None).model_copy(update={"batch_size": batch_size})
        made.append(ProgramWorkload(plan, command, show=show or Show()))
        return made[-1]

    yield make
    for one in made:
        one.release()


def perform(one: ProgramWorkload, *, images: int | None = None, marker: Any = None) -> WorkloadReport:
    one.prepare()
    return one.run(marker or LevelLog(), lambda: False, images)


def gone(pid: int) -> bool:
    """Whether a process is no more (or a zombie that its parent will collect)."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


def is_gone_soon(pid: int) -> bool:
    end = time.monotonic() + DEADLINE_S
    while not gone(pid) and time.monotonic() < end:
        time.sleep(0.01)  # another process's end offers no event
    return gone(pid)


# Lines as batches


def test_lines_begin_and_end_batches(workload):
    marker, show = LevelLog(), Show()
    one = workload(
        "for i in 1 2 3; do echo start $i; sleep 0.02; echo end $i, 2 images; done",
        start_pattern="^start", images_pattern=r"(\d+) images", show=show,
    )  # fmt: skip
    report = perform(one, marker=marker)
    one.release()
    assert (report.batches, report.images) == (3, 6)
    assert marker.levels == [True, False] * 3 + [False]
    assert len(report.batch_durations_ns) == len(report.batch_starts_ns) == 3
    assert report.batch_stamp_bound_ns >= 1_000_000, "the delay of a line that was allowed for"
    assert show.seen.count(b"images") == 3


def test_each_line_ends_a_batch_and_begins_the_next_where_none_begins_it(workload):
    marker = LevelLog()
    one = workload("for i in 1 2 3 4 5 6 7 8 9; do sleep 0.02; echo done; done; sleep 60", images_pattern="done")
    report = perform(one, images=6, marker=marker)
    assert (report.batches, report.images) == (3, 6)
    assert marker.levels == [True, False] * 3 + [False], "no fourth: the images are done"


def test_a_warm_program_waits_for_its_line(workload, tmp_path):
    released = tmp_path / "released"
    one = workload(
        f"echo 'batch of warm-up'; echo ready; read go; date >{released}; echo batch",
        warm_line="^ready$", images_pattern="^batch",
    )  # fmt: skip
    one.prepare()
    assert not released.exists()
    report = one.run(LevelLog(), lambda: False, 2)
    assert report.batches == 1, "what it said before does not count"
    assert released.exists()


@pytest.mark.parametrize("kernel", ["newer", "older"])
def test_a_batch_that_is_the_programs_life_ends_with_it(workload, monkeypatch, kernel):
    if kernel == "older":
        monkeypatch.delattr(os, "pidfd_open")
    marker = LevelLog()
    report = perform(workload("sleep 0.1; echo 1 image; echo 1 image", batch_is=BatchIs.PROGRAM), marker=marker)
    assert (report.batches, report.images, marker.levels) == (1, 2, [True, False, False])
    assert 0.1e9 <= report.batch_durations_ns[0] < 5e9


def test_the_images_of_a_program_that_is_the_batch_are_checked(workload):
    text = "echo 1 image; echo 1 image"
    pattern = {"batch_is": BatchIs.PROGRAM, "images_pattern": r"(\d+) image"}
    assert perform(workload(text, **pattern)).images == 2
    with pytest.raises(ProgramFailed, match="tells of 2 images in a batch, the run is of batches of 3"):
        perform(workload(text, batch_size=3, **pattern))


def test_a_program_that_drives_the_marker_tells_only_how_many(workload):
    one = workload("for i in 1 2 3; do echo b; done", images_pattern="b", marker_by=MarkerBy.PROGRAM)
    report = perform(one, images=6, marker=ProgramMarker())
    assert (report.batches, report.batch_durations_ns, report.batch_starts_ns) == (3, (), ())
    assert report.started_monotonic_ns == report.finished_monotonic_ns == 0, "said nothing, rather than too much"


def test_the_labs_word_ends_a_program_that_says_nothing(workload, tmp_path):
    one = workload(f"echo $$ >{tmp_path}/pid; echo b; sleep 0.05; echo b; sleep 60", images_pattern="b")
    one.prepare()
    told = threading.Event()
    marker = LevelLog()

    def stop() -> bool:
        if marker.levels.count(False) >= 2:
            told.set()
        return told.is_set()

    report = one.run(marker, stop, None)
    one.release()
    assert report.batches == 2
    assert marker.levels == [True, False, True, False, True, False], "the third was not ended, and is not counted"
    assert is_gone_soon(int((tmp_path / "pid").read_text()))


def test_a_program_may_run_to_its_own_end(workload, tmp_path):
    finished = tmp_path / "finished"
    one = workload(f"echo b; sleep 0.3; touch {finished}", images_pattern="b", when_measured=WhenMeasured.WAIT)
    perform(one, images=2)
    one.release()
    assert finished.exists()


# What goes wrong


@pytest.mark.parametrize(
    ("text", "options", "images"),
    [
        ("for i in 1 2 3 4 5; do sleep 0.01; echo b; done | sort", {}, 10),
        ("for i in 1 2 3 4 5; do echo s; sleep 0.01; echo b; done | cat | tail -n 99", {"start_pattern": "s"}, None),
    ],
)
def test_lines_that_a_program_kept_are_refused(workload, text, options, images):
    """`sort` and `tail` write at their end what came one after the other."""
    marker = LevelLog()
    with pytest.raises(ProgramFailed, match=r"in bunches: \d of 5 batches.*stdbuf -oL"):
        perform(workload(text, images_pattern="b", **options), images=images, marker=marker)
    assert not marker.levels[-1]


def test_a_few_lines_that_come_late_are_taken(workload):
    """A board that is busy reads two at once as well."""
    text = "for i in 1 2 3 4; do sleep 0.05; echo b; done; sleep 0.05; printf 'b\\nb\\n'; sleep 60"
    assert perform(workload(text, images_pattern="b"), images=12).batches == 6


@pytest.mark.parametrize(
    ("text", "options", "complaint"),
    [
        ("exit 3", {}, "exit status 3 after 0 batches; it wrote nothing"),
        ("echo b; echo oh no >&2; exit 3", {}, "exit status 3 after 1 batches; its last line: 'oh no'"),
        ("kill -SEGV $$", {}, "was ended by SIGSEGV"),
        ("echo something else", {"start_pattern": "s"}, "in the middle of batch 1"),
        ("echo nothing", {"start_pattern": "never"}, "ran no whole batch"),
        ("echo b; echo b", {}, "ended by itself after 2 batches, with the marker high"),
        ("echo s; echo s", {"start_pattern": "s"}, "begins before the one before has ended"),
        ("echo b", {"start_pattern": "s"}, "ends that no line has begun"),
        ("echo 3 b", {"images_pattern": r"(\d+) b"}, "3 images in a batch, the run is of batches of 2"),
        ("echo x b", {"images_pattern": r"(\w+) b"}, "'x', which is no number"),
        ("sleep 60 & echo $! >pid", {}, "put itself into the background"),
        ("sleep 60 & echo $! >pid", {"batch_is": BatchIs.PROGRAM}, "put itself into the background"),
    ],
)
def test_what_goes_wrong_is_said(workload, tmp_path, monkeypatch, text, options, complaint):
    monkeypatch.chdir(tmp_path)
    marker = LevelLog()
    with pytest.raises(ProgramFailed, match=complaint) as raised:
        perform(workload(text, **({"images_pattern": "b"} | options)), marker=marker)
    assert raised.value.reason == "program_failed"
    assert not marker.levels[-1]
    if (tmp_path / "pid").exists():
        assert is_gone_soon(int((tmp_path / "pid").read_text())), "killed with its group"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("echo loading; exit 4", "exit status 4 before it was warm; its last line: 'loading'"),
        ("echo loading; sleep 60", "said within 0.3 s no line .* its last line: 'loading'"),
    ],
)
def test_a_program_that_does_not_get_warm_is_given_up(workload, text, complaint):
    one = workload(text, warm_line="ready", images_pattern="b", warm_timeout_s=0.3)
    with pytest.raises(ProgramFailed, match=complaint):
        one.prepare()


def test_a_program_that_is_not_there_is_known_before_the_bench_is_asked(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("no program")
    for name in (str(tmp_path / "missing"), "no-such-program-anywhere", str(plain)):
        plan = ProgramPlan(command=(name,), batch_is=BatchIs.PROGRAM)
        with pytest.raises(ProgramFailed, match="no program"):
            ProgramWorkload(plan, order(), show=Show()).prepare()


def test_a_script_whose_interpreter_is_missing_is_told(tmp_path):
    path = tmp_path / "script"
    path.write_text("#!/no/such/interpreter\n")
    path.chmod(0o755)
    one = ProgramWorkload(ProgramPlan(command=(str(path),), batch_is=BatchIs.PROGRAM), order(), show=Show())
    with pytest.raises(ProgramFailed, match="first line of the script"):
        perform(one)


def test_a_program_that_ignores_its_stop_signal_is_killed_with_its_children(workload, tmp_path):
    text = f"trap '' TERM; sleep 60 & echo $$ $! >{tmp_path}/pids; echo b; while :; do sleep 60; done"
    one = workload(text, images_pattern="b")
    perform(one, images=2)
    pids = [int(word) for word in (tmp_path / "pids").read_text().split()]
    assert not any(map(gone, pids))
    began_s = time.monotonic()
    one.release()
    assert 0.2 <= time.monotonic() - began_s < DEADLINE_S, "it has its grace time first"
    assert all(map(is_gone_soon, pids))


def test_the_stop_signal_is_the_one_that_was_asked_for(workload, tmp_path):
    text = f"trap 'echo INT >{tmp_path}/signal; exit' INT; echo b; while :; do sleep 0.01; done"
    one = workload(text, images_pattern="b", stop_signal=signal.SIGINT, grace_s=DEADLINE_S)
    perform(one, images=2)
    one.release()
    assert (tmp_path / "signal").read_text() == "INT\n"


def test_an_interruption_ends_the_wait_for_a_program(workload):
    one = workload("sleep 60", warm_line="ready", images_pattern="b")
    threading.Timer(0.1, one.interrupt).start()
    with pytest.raises(ProgramFailed, match="interrupted"):
        one.prepare()


def test_an_output_that_does_not_end_is_kept_in_bounds(workload):
    """Many megabytes, a line without an end, and bytes that are no text: the batches are still seen."""
    text = (
        "echo begins here; head -c 15000000 /dev/zero; echo; head -c 1000000 /dev/urandom; echo; "
        "head -c 10000000 /dev/zero | tr '\\0' 'x'; echo; echo ends here"
    )
    one = workload(
        text, start_pattern="^begins here$", images_pattern="^ends here$", show=lambda data: time.sleep(0.01)
    )
    tracemalloc.start()
    try:
        report = perform(one, images=2)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.batches == 1
    assert peak < 8e6


def test_no_time_stamp_waits_for_the_terminal(workload):
    """A terminal that is stopped (Ctrl-S) holds the relay, and nothing else."""
    held = threading.Event()
    one = workload(
        "echo s; sleep 0.05; echo b", start_pattern="s", images_pattern="b", show=lambda data: held.wait(DEADLINE_S)
    )
    began_s = time.monotonic()
    assert perform(one, images=2).batches == 1
    assert time.monotonic() - began_s < DEADLINE_S / 2
    held.set()


# Parts


def test_plans_that_have_no_meaning_are_refused():
    with pytest.raises(WorkloadError, match="need a pattern"):
        ProgramPlan(command=("x",))
    with pytest.raises(WorkloadError, match="no line that begins it"):
        ProgramPlan(command=("x",), batch_is=BatchIs.PROGRAM, start_pattern=re.compile("s"))
    with pytest.raises(WorkloadError, match="drives the marker"):
        ProgramPlan(command=("x",), batch_is=BatchIs.PROGRAM, marker_by=MarkerBy.PROGRAM)
    with pytest.raises(WorkloadError, match="grace_s"):
        ProgramPlan(command=("x",), batch_is=BatchIs.PROGRAM, grace_s=-1)
    with pytest.raises(WorkloadError, match="name"):
        ProgramPlan(command=(), batch_is=BatchIs.PROGRAM)


def test_lines_are_split_wherever_the_pieces_end():
    splitter, text = LineSplitter(), "one\ntwo\r\nthree\rf\u00fcnf".encode()
    lines = [line for k in range(len(text)) for line in splitter.feed(text[k : k + 1])]
    assert lines + splitter.flush() == ["one", "two", "three", "f\u00fcnf"]
    assert splitter.flush() == []
    assert LineSplitter().feed(b"\xff\xfe\n") == ["\ufffd\ufffd"]


def test_a_line_without_an_end_is_cut():
    splitter = LineSplitter()
    for _ in range(10):
        assert splitter.feed(b"x" * LONGEST_LINE) == []
    assert splitter.feed(b"end\nnext\n") == ["x" * LONGEST_LINE, "next"]


def test_what_the_terminal_does_not_take_is_dropped_and_counted():
    show, held, begun = Show(), threading.Event(), threading.Event()

    def slowly(data: bytes) -> None:
        begun.set()
        held.wait(DEADLINE_S)
        show(data)

    relay = OutputRelay(slowly)
    relay.put(b"first")
    assert begun.wait(DEADLINE_S)
    relay.put(b"x" * BUFFER_BYTES)
    relay.put(b"lost")
    held.set()
    relay.close()
    assert show.seen.startswith(b"first" + b"x" * BUFFER_BYTES)
    assert b"4 bytes of output are not shown" in show.seen


def test_no_descriptor_is_left_open(workload):
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before, children = descriptors(), psutil.Process().children()
    for _ in range(3):
        one = workload("echo ready; read go; echo b", warm_line="ready", images_pattern="b")
        perform(one, images=2, marker=NoMarker())
        one.release()
    assert descriptors() == before
    assert psutil.Process().children() == children, "a zombie is a child too"
    assert subprocess.run(["true"], check=False).returncode == 0
