"""Profiling in a process of its own: what it finds, what it refuses, and that its end is not the caller's."""

import multiprocessing
import os
import re
import signal
import threading
from multiprocessing.connection import Connection

import pytest

from runners import profile_process
from runners.batch_profile import LEAST_BATCHES, BatchProfile
from runners.profile_process import ProfileOrder, Refused, profile_in_process

ORDER = ProfileOrder(
    network="alexnet", batch_size=1, precision="fp32", engine="torch", device="cpu", threads=1, seconds=0
)


@pytest.mark.long
def test_a_real_network_is_profiled() -> None:
    found = profile_in_process(ORDER)
    assert isinstance(found, BatchProfile)
    assert found.time.batches == LEAST_BATCHES
    assert found.timer.startswith("monotonic clock")
    parameters_bytes = 4 * 60_965_224
    assert found.loaded_bytes - found.before_bytes > parameters_bytes
    assert found.loaded_bytes + 3_000_000 < found.peak_bytes < found.loaded_bytes + 500_000_000
    assert found.peak_device_bytes is None


def killed(order: ProfileOrder, sending: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def crashed(order: ProfileOrder, sending: object) -> None:
    os._exit(3)


@pytest.mark.parametrize(
    ("target", "reason", "words"),
    [
        (killed, "out_of_memory", "batch size 1 in fp32 .* killed"),
        (crashed, "workload_failed", "status 3"),
    ],
)
def test_a_process_that_ends_without_a_word_is_a_refusal(monkeypatch, target, reason: str, words: str) -> None:
    monkeypatch.setattr(profile_process, "profile_and_send", target)
    found = profile_in_process(ORDER)
    assert isinstance(found, Refused)
    assert found.reason == reason
    assert re.search(words, found.text)


class Sent(list):
    send = list.append


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "out_of_memory"), (KeyError("layer"), "workload_failed")],
)
def test_what_breaks_in_it_is_sent_as_a_refusal(monkeypatch, error: Exception, reason: str) -> None:
    def explode(order: ProfileOrder) -> None:
        raise error

    monkeypatch.setattr(profile_process, "_profile", explode)
    sent = Sent()
    profile_process.profile_and_send(ORDER, sent)
    assert [one.reason for one in sent] == [reason]


def test_the_engine_is_the_one_asked_for(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(profile_process, "profile_batch", lambda spec, *, backend, **_: asked.append(backend.name))
    for engine in ("torch", "onnx"):
        profile_process.profile_and_send(ProfileOrder(**{**_fields(ORDER), "engine": engine, "threads": None}), Sent())
    assert asked == ["torch-cpu", "onnx-cpu"]


def test_what_does_not_fit_is_sent_as_a_refusal(monkeypatch) -> None:
    from runners import memory_estimate
    from runners.available_memory import AvailableMemory

    there = AvailableMemory(size_bytes=450_000_000, limit="the machine's memory")
    monkeypatch.setattr(memory_estimate, "available_memory", lambda: there)
    sent = Sent()
    profile_process.profile_and_send(ProfileOrder(**{**_fields(ORDER), "batch_size": 64}), sent)
    (found,) = sent
    assert (found.reason, found.largest_batch) == ("out_of_memory", 4)


def _fields(order: ProfileOrder) -> dict[str, object]:
    return {name: getattr(order, name) for name in ProfileOrder.__slots__}


def test_an_interrupted_caller_takes_its_process_with_it(monkeypatch) -> None:
    """The process waits for ever; the caller is interrupted while it waits for an answer."""
    monkeypatch.setattr(profile_process, "profile_and_send", waiting)
    monkeypatch.setattr(Connection, "recv", interrupted)
    with pytest.raises(KeyboardInterrupt):
        profile_in_process(ORDER)
    assert not multiprocessing.active_children()


def waiting(order: ProfileOrder, sending: object) -> None:
    threading.Event().wait()


def interrupted(self: Connection) -> None:
    raise KeyboardInterrupt
