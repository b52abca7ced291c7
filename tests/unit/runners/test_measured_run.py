"""A measured run around a program's own loop, against a daemon of the tests."""

import asyncio
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import joulebench
from runners import marked_batches, measured_run
from runners.agent_settings import HandshakeTimeouts
from runners.board_environment import BENCH as BENCH_VARIABLE
from runners.board_environment import BOARD as BOARD_VARIABLE
from runners.board_environment import BROKER as BROKER_VARIABLE
from runners.board_environment import MARKER as MARKER_VARIABLE
from runners.errors import DaemonSilent, MarkerError, RunFailed, RunMisused, RunRejected
from runners.marked_batches import LOW_NS
from runners.measured_run import MeasuredRun
from runners.messages import RunAbort, RunFinished, RunPhase, RunRequest
from runners.topics import TopicKind
from tests.unit.runners.fake_daemon import BENCH, BOARD

TIMEOUTS = HandshakeTimeouts(accept_s=10, armed_s=10, longest_run_s=20, result_s=10)


@pytest.fixture
def make(broker, marker_bench) -> Callable[..., MeasuredRun]:
    """Make a run of this lab."""
    lab = {"broker": broker.url, "bench": BENCH, "board": BOARD, "marker": marker_bench.url, "run_id": "r1"}

    def made(**changes: Any) -> MeasuredRun:
        return joulebench.run(**({"network": "my.net", "batch_size": 4, "timeouts": TIMEOUTS} | lab | changes))

    return made


def in_program(work: Callable[[], Any]) -> asyncio.Task[Any]:
    """Run what a user's program does, in a thread, beside the daemon of the test."""
    return asyncio.create_task(asyncio.to_thread(work))


async def armed(daemon) -> RunRequest:
    request = await daemon.heard(TopicKind.REQUEST)
    await daemon.say("r1", RunPhase.ACCEPTED)
    await daemon.say("r1", RunPhase.ARMED)
    await daemon.heard(TopicKind.STARTED)
    return request


async def test_a_loop_runs_until_the_record_is_complete(make, daemon, marker_bench):
    run, third, seen = make(captures=2, sync=["marker"], backend="my-engine"), threading.Event(), []

    def program() -> None:
        with run:
            for item in run.batches(itertools.count()):
                seen.append(item)
                if item == 2:
                    third.set()

    performing = in_program(program)
    request = await armed(daemon)
    await asyncio.to_thread(third.wait, 5)
    await daemon.say("r1", RunPhase.CAPTURED)
    finished = await daemon.heard(TopicKind.FINISHED)
    result = await daemon.conclude("r1")
    await performing
    assert request == RunRequest(network="my.net", batch_size=4, captures=2, sync=("marker",), backend="my-engine")
    assert isinstance(finished, RunFinished)
    assert finished.batches == len(seen) >= 3
    assert finished.images == 4 * len(seen)
    assert marker_bench.levels == "0" + "10" * len(seen) + "0"
    assert run.result == result
    assert run.outcome.report.batches == len(seen)
    assert not run.wanted


async def test_times_are_those_of_the_batches_with_the_marker_low_between_them(make, daemon):
    run, spans = make(), []

    def program() -> None:
        with run:
            for _ in range(5):
                with run.batch():
                    before_ns = time.monotonic_ns()
                    time.sleep(2e-3)  # the batch
                    spans.append((before_ns, time.monotonic_ns()))

    performing = in_program(program)
    await armed(daemon)
    finished = await daemon.heard(TopicKind.FINISHED)
    await daemon.conclude("r1")
    await performing
    report = run.outcome.report
    bound_ns = report.batch_stamp_bound_ns
    for start_ns, duration_ns, (first_ns, last_ns) in zip(
        report.batch_starts_ns, report.batch_durations_ns, spans, strict=True
    ):
        assert start_ns <= first_ns
        assert last_ns <= start_ns + duration_ns
    ends_ns = [start_ns + one for start_ns, one in zip(report.batch_starts_ns, report.batch_durations_ns, strict=True)]
    gaps_ns = [start_ns - end_ns for end_ns, start_ns in zip(ends_ns, report.batch_starts_ns[1:], strict=False)]
    assert min(gaps_ns) >= LOW_NS
    assert 0 < bound_ns < 100_000_000
    assert (finished.started_monotonic_ns, finished.finished_monotonic_ns) == (report.batch_starts_ns[0], ends_ns[-1])


async def test_planned_images_end_the_loop(make, daemon):
    run = make(images=12)

    def program() -> None:
        with run:
            while run.wanted:
                with run.batch(4):
                    pass

    performing = in_program(program)
    assert (await armed(daemon)).images_planned == 12
    finished = await daemon.heard(TopicKind.FINISHED)
    await daemon.conclude("r1")
    await performing
    assert (finished.images, finished.batches) == (12, 3)


@pytest.mark.parametrize("is_held", [True, False])
async def test_a_break_in_a_batch_spoils_the_run(make, daemon, marker_bench, is_held):
    """Whether it had been run nobody can tell: its images are not counted, and its pulse is in the record."""
    run, held = make(), []

    def program() -> None:
        with run:
            if is_held:  # a generator that outlives its loop is not closed by `break`
                held.append(run.batches())
            for _ in held[0] if is_held else run.batches():
                break

    performing = in_program(program)
    await armed(daemon)
    abort = await daemon.heard(TopicKind.ABORT)
    with pytest.raises(RunFailed, match="left in the body of batch 1"):
        await performing
    assert abort.reason == "program_failed"
    assert daemon.silent_about(TopicKind.FINISHED)
    assert marker_bench.levels == "0100"


async def test_a_break_after_the_batchs_own_end_counts_it(make, daemon):
    run = make()

    def program() -> None:
        with run:
            for _ in run.batches():
                run.end_batch()
                break

    performing = in_program(program)
    await armed(daemon)
    assert (await daemon.heard(TopicKind.FINISHED)).batches == 1
    await daemon.conclude("r1")
    await performing


async def test_a_last_smaller_batch_is_not_counted_as_a_whole_one(make, daemon, marker_bench):
    run = make()

    def program() -> None:
        with run:
            for _ in run.batches([np.zeros((4, 2)), np.zeros((4, 2)), np.zeros((3, 2))]):
                pass

    performing = in_program(program)
    await armed(daemon)
    abort = await daemon.heard(TopicKind.ABORT)
    with pytest.raises(RunMisused, match=r"3 images in a run of batches of 4.*drop_last=True"):
        await performing
    assert "3 images" in abort.text
    assert marker_bench.levels.count("1") == 2, "known before its marker rises"


@pytest.mark.parametrize("error", [ZeroDivisionError("no images"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("inside", [True, False])
async def test_an_exception_aborts_the_run_and_passes_unwrapped(make, daemon, marker_bench, error, inside):
    run = make()

    def program() -> None:
        with run:
            if inside:
                with run.batch():
                    raise error
            raise error

    caught = []

    def guarded() -> None:
        try:
            program()
        except BaseException as problem:
            caught.append(problem)

    performing = in_program(guarded)
    await armed(daemon)
    abort = await daemon.heard(TopicKind.ABORT)
    await performing
    assert isinstance(abort, RunAbort)
    assert abort.reason == "program_failed"
    assert type(error).__name__ in abort.text
    assert caught == [error]
    assert daemon.silent_about(TopicKind.FINISHED)
    assert marker_bench.levels[-1] == "0"
    assert "11" not in marker_bench.levels


async def test_a_batch_that_breaks_and_is_caught_spoils_the_run(make, daemon):
    """Its pulse is in the record, and its images are not."""
    run = make()

    def program() -> None:
        with run:
            with pytest.raises(ZeroDivisionError), run.batch():
                raise ZeroDivisionError
            assert not run.wanted
            with pytest.raises(RunMisused, match="batch 1 broke: ZeroDivisionError"), run.batch():
                pass

    performing = in_program(program)
    await armed(daemon)
    abort = await daemon.heard(TopicKind.ABORT)
    with pytest.raises(RunFailed, match="batch 1 broke"):
        await performing
    assert abort.reason == "program_failed"


async def test_a_block_without_a_batch_is_a_failed_run(make, daemon):
    run = make()

    def program() -> None:
        with run:
            pass

    performing = in_program(program)
    await armed(daemon)
    assert (await daemon.heard(TopicKind.ABORT)).reason == "program_failed"
    with pytest.raises(RunFailed, match="without a batch"):
        await performing
    with pytest.raises(RunMisused, match="no result"):
        _ = run.result


async def test_a_refusal_is_raised_before_the_block(make, daemon):
    run = make()

    def program() -> None:
        with run:
            raise AssertionError("the block must not be entered")

    performing = in_program(program)
    await daemon.heard(TopicKind.REQUEST)
    await daemon.say("r1", RunPhase.REJECTED, reason="unknown_network", text="not among runs.networks")
    with pytest.raises(RunRejected, match=r"unknown_network.*runs\.networks"):
        await performing
    assert run.outcome.reason == "unknown_network"


async def test_a_run_that_the_lab_ends_is_raised_after_the_loop(make, daemon):
    run = make()
    begun = threading.Event()

    def program() -> None:
        with run:
            for _ in run.batches():
                begun.set()

    performing = in_program(program)
    await armed(daemon)
    await asyncio.to_thread(begun.wait, 5)
    await daemon.say("r1", RunPhase.FAILED, reason="instrument_timeout", text="no answer")
    with pytest.raises(RunFailed, match="instrument_timeout"):
        await performing


async def test_a_silent_daemon_has_an_exception_of_its_own(make, daemon):
    run = make(timeouts=dataclasses.replace(TIMEOUTS, accept_s=0.2))

    def program() -> None:
        with run:
            raise AssertionError("the block must not be entered")

    with pytest.raises(DaemonSilent, match=r"0\.2 s"):
        await in_program(program)
    assert (await daemon.heard(TopicKind.ABORT)).reason == "daemon_silent"


async def test_a_marker_that_is_not_there_is_known_before_the_bench_is_asked(make, daemon):
    run = make(marker="tcp://127.0.0.1:9")
    with pytest.raises(MarkerError, match=r"127\.0\.0\.1:9"):
        await in_program(run.__enter__)
    assert daemon.silent_about(TopicKind.REQUEST)


async def test_a_marker_that_breaks_in_the_loop_is_told_to_the_lab(make, daemon, marker_bench):
    run = make()

    def program() -> None:
        with run:
            with run.batch():
                marker_bench.answers["0"] = ""  # hangs up
            raise AssertionError("the batch's end must raise")

    performing = in_program(program)
    await armed(daemon)
    assert (await daemon.heard(TopicKind.ABORT)).reason == "marker_failed"
    with pytest.raises(MarkerError):
        await performing


async def test_misuse_is_named(make, daemon):
    run, other = make(), make(run_id="r2")
    with pytest.raises(RunMisused, match="has not begun"):
        run.batch().__enter__()

    def program() -> None:
        with run:
            with run.batch(), pytest.raises(RunMisused, match="a batch is running"):
                run.batch().__enter__()
            with pytest.raises(RunMisused, match="3 images in a run of batches of 4"):
                run.batch(3)
            with pytest.raises(RunMisused, match="one at a time"):
                other.__enter__()
            with pytest.raises(RunMisused, match="entered before"):
                run.__enter__()
            with pytest.raises(RunMisused, match="no result"):
                _ = run.result

    performing = in_program(program)
    await armed(daemon)
    assert (await daemon.heard(TopicKind.FINISHED)).batches == 1
    await daemon.conclude("r1")
    await performing
    with pytest.raises(RunMisused, match="is over"):
        run.batch().__enter__()
    with pytest.raises(RunMisused, match="entered before"):
        run.__enter__()


async def test_a_run_can_follow_a_run_that_failed(make, daemon):
    for run_id in ("r1", "r1"):
        performing = in_program(make(run_id=run_id).__enter__)
        await daemon.heard(TopicKind.REQUEST)
        await daemon.say(run_id, RunPhase.REJECTED, reason="bench_busy", text="busy", retain=False)
        with pytest.raises(RunRejected):
            await performing


async def test_the_device_is_waited_for_before_the_marker_falls(make, daemon, marker_bench):
    levels = []
    run = make(synchronize=lambda: levels.append(marker_bench.levels))

    def program() -> None:
        with run, run.batch():
            pass

    performing = in_program(program)
    await armed(daemon)
    await daemon.heard(TopicKind.FINISHED)
    await daemon.conclude("r1")
    await performing
    assert levels == ["01"]


def test_torch_is_waited_for_where_the_program_uses_a_gpu(monkeypatch):
    class Cuda:
        initialized = True

        def is_initialized(self) -> bool:
            return self.initialized

        def synchronize(self) -> None: ...

    class Torch:
        cuda = Cuda()

    monkeypatch.setitem(measured_run.sys.modules, "torch", Torch)
    assert measured_run._cuda_synchronize() == Torch.cuda.synchronize
    Torch.cuda.initialized = False
    assert measured_run._cuda_synchronize() is None


def test_what_is_missing_is_named_at_once(monkeypatch):
    with pytest.raises(
        RunMisused, match=f"broker.*{BROKER_VARIABLE}.*bench.*{BENCH_VARIABLE}.*board.*{BOARD_VARIABLE}"
    ):
        joulebench.run(network="n")
    for name, value in ((BROKER_VARIABLE, "mqtt://h"), (BENCH_VARIABLE, "b"), (BOARD_VARIABLE, "c")):
        monkeypatch.setenv(name, value)
    assert joulebench.run(network="n")._marker_url == "none"
    monkeypatch.setenv(MARKER_VARIABLE, "gpio:/dev/gpiochip0:17")
    assert joulebench.run(network="n")._marker_url == "gpio:/dev/gpiochip0:17"
    assert joulebench.run(network="n", marker="none")._marker_url == "none"


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"network": "my net"}, "network"),
        ({"batch_size": 0, "captures": 2000}, "batch_size.*captures"),
        ({"images": 0}, "images:"),
        ({"backend": ""}, "backend"),
        ({"sync": ["sundial"]}, "sundial"),
        ({"sync": []}, "sync"),
    ],
)
def test_arguments_out_of_bounds_are_named(wrong, named):
    with pytest.raises(RunMisused, match=named):
        joulebench.run(**({"network": "n", "broker": "mqtt://h", "bench": "b", "board": "c"} | wrong))


@pytest.mark.parametrize("wrong", [{"bench": "a/b"}, {"board": "#"}, {"run_id": "no spaces"}])
def test_names_that_fit_into_no_topic_are_refused(wrong):
    with pytest.raises(joulebench.RunnerError):
        joulebench.run(**({"network": "n", "broker": "mqtt://h", "bench": "b", "board": "c"} | wrong))


def test_the_public_face_has_what_it_lists():
    for name in joulebench.__all__:
        assert getattr(joulebench, name) is not None
    assert set(joulebench.__all__) <= set(dir(joulebench))
    assert set(joulebench._HOMES) | {"__version__"} == set(joulebench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        joulebench.runn  # noqa: B018


async def test_a_broker_that_is_not_there_is_an_exception_before_the_block(make, mosquitto_broker, marker_bench):
    mosquitto_broker.stop()
    run = make()
    run._settings = dataclasses.replace(run._settings, connect_timeout_s=0.3)
    with pytest.raises(joulebench.BrokerUnavailable, match=str(mosquitto_broker.port)):
        await in_program(run.__enter__)
    assert marker_bench.levels == "00", "set low when opened, and when closed"
    with pytest.raises(RunMisused, match="not over"):
        _ = run.outcome


async def test_a_batch_costs_little_of_the_processor(make, daemon, monkeypatch):
    """By the thread's own processor time, which a busy machine hardly stretches, and without the marker's."""
    monkeypatch.setattr(marked_batches, "LOW_NS", 0)
    run, spent_s, count = make(marker="none"), [], 2000

    def program() -> None:
        with run:
            before_s = time.thread_time()
            for _ in range(count):
                with run.batch():
                    pass
            spent_s.append(time.thread_time() - before_s)

    performing = in_program(program)
    await armed(daemon)
    assert (await daemon.heard(TopicKind.FINISHED)).batches == count
    await daemon.conclude("r1")
    await performing
    assert spent_s[0] / count < 50e-6, "about 5 us"
