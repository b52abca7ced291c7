"""The message contract: what it takes, what it refuses, and that it says why."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runners.errors import MessageError
from runners.messages import (
    MAX_BATCH_DURATIONS,
    MAX_BATCH_STARTS,
    MAX_CLOCK_EXCHANGES,
    MAX_PAYLOAD_BYTES,
    BoardCommand,
    ClockExchange,
    Quantity,
    RunAbort,
    RunFinished,
    RunMemory,
    RunPhase,
    RunRequest,
    RunResult,
    RunState,
    RunTimes,
    decode,
    encode,
)
from tests.unit.runners.fake_daemon import example_result

TOPIC = "joulebench/v1/lab1/boards/b1/runs/r1/request"
REQUEST = {"v": 1, "network": "resnet18", "batch_size": 4}


def read(document: object, cls=RunRequest):
    return decode(cls, json.dumps(document).encode(), topic=TOPIC)


def test_a_shell_scripts_request_is_enough():
    assert read({"network": "resnet18", "batch_size": 4}) == RunRequest(network="resnet18", batch_size=4)


def test_unknown_keys_are_ignored():
    assert read(REQUEST | {"colour": "blue"}) == read(REQUEST)


@given(
    st.builds(
        RunRequest,
        network=st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
        batch_size=st.integers(1, 10**12),
        images_planned=st.none() | st.integers(1, 10**12),
        captures=st.integers(1, 1000),
    )
)
def test_a_request_survives_the_wire(request):
    assert decode(RunRequest, encode(request), topic=TOPIC) == request


def test_a_result_survives_the_wire():
    result = example_result("r1")
    assert decode(RunResult, encode(result), topic=TOPIC) == result


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"v": 2}, "v:"),
        ({"network": "../etc"}, "network:"),
        ({"network": "resnet18\n"}, "network:"),
        ({"network": ""}, "network:"),
        ({"batch_size": 0}, "batch_size:.*greater than or equal to 1.*got 0"),
        ({"batch_size": "4"}, "batch_size:"),
        ({"batch_size": 4.0}, "batch_size:"),
        ({"batch_size": True}, "batch_size:"),
        ({"batch_size": 2**64}, "batch_size:"),
        ({"captures": 1001}, "captures:.*1000"),
        ({"images_planned": 0}, "images_planned:"),
        ({"sync": []}, "sync:"),
        ({"sync": "marker"}, "sync:"),
        ({"precision": "x" * 65}, "precision:"),
    ],
)
def test_what_breaks_a_bound_is_named(change, word):
    with pytest.raises(MessageError, match=word) as caught:
        read(REQUEST | change)
    assert caught.value.topic == TOPIC
    assert TOPIC in str(caught.value)


def test_all_problems_are_named_at_once():
    with pytest.raises(MessageError) as caught:
        read({"network": 7, "captures": 0})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["network", "batch_size", "captures"]


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, b'{"batch_size": NaN}'])
def test_what_is_no_message_is_refused(payload):
    with pytest.raises(MessageError):
        decode(RunRequest, payload, topic=TOPIC)


@given(st.binary(max_size=200))
def test_no_payload_breaks_the_reader(payload):
    with pytest.raises(MessageError):
        decode(RunRequest, payload, topic=TOPIC)


def test_a_payload_of_just_the_bound_is_read():
    document = json.dumps(REQUEST).encode()
    padded = document + b" " * (MAX_PAYLOAD_BYTES - len(document))
    assert decode(RunRequest, padded, topic=TOPIC) == RunRequest(network="resnet18", batch_size=4)
    with pytest.raises(MessageError, match="65537 bytes"):
        decode(RunRequest, padded + b" ", topic=TOPIC)


def test_too_long_a_message_is_not_sent():
    with pytest.raises(MessageError, match=r"RunResult.*65536"):
        encode(example_result("r1").model_copy(update={"capture_ids": ("x" * 64,) * 1100}))


def test_a_finished_with_the_most_batches_fits():
    longest = (10**11 - 1,) * MAX_BATCH_DURATIONS
    finished = RunFinished(finished_utc_ns=2**63 - 1, images=10**6, batches=10**6, batch_durations_ns=longest)
    assert len(encode(finished)) <= MAX_PAYLOAD_BYTES
    with pytest.raises(ValidationError, match=r"at most 4096|4096 items"):
        RunFinished(finished_utc_ns=1, images=10**6, batches=10**6, batch_durations_ns=(*longest, 1))


def test_a_finished_with_the_most_batch_starts_and_clock_exchanges_fits():
    """By clocks that have been up for three years, and batches of up to a hundred seconds."""
    uptime_ns = 10**17
    exchange = ClockExchange(
        board_sent_ns=uptime_ns, lab_received_ns=uptime_ns, lab_answered_ns=uptime_ns, board_received_ns=uptime_ns
    )
    finished = RunFinished(
        finished_utc_ns=2**63 - 1,
        images=10**6,
        batches=10**6,
        batch_durations_ns=(10**11 - 1,) * MAX_BATCH_STARTS,
        batch_starts_monotonic_ns=tuple(range(uptime_ns, uptime_ns + MAX_BATCH_STARTS)),
        batch_stamp_bound_ns=10**11,
        clock_exchanges=(exchange,) * MAX_CLOCK_EXCHANGES,
        memory=RunMemory(parameters_bytes=10**10, peak_process_bytes=10**11, peak_device_bytes=10**11),
        times=RunTimes(
            batches=10**6,
            **{f"{name}_ns": 10**11 for name in ("median", "lower_quartile", "upper_quartile", "mad")},
            shortest_ns=10**11,
            longest_ns=10**11,
            drift=-0.12345678901234567,
            drift_low=-0.12345678901234567,
            drift_high=-0.12345678901234567,
        ),
    )
    assert len(encode(finished)) <= MAX_PAYLOAD_BYTES


EXCHANGE = {"board_sent_ns": 1, "lab_received_ns": 7, "lab_answered_ns": 8, "board_received_ns": 3}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"board_received_ns": 0}, "board_received_ns .* before board_sent_ns"),
        ({"lab_answered_ns": 6}, "lab_answered_ns .* before lab_received_ns"),
        ({"lab_answered_ns": -1}, "greater than or equal to 0"),
    ],
)
def test_a_clock_exchange_runs_forward(change, word):
    finished = {"finished_utc_ns": 1, "images": 4, "batches": 4}
    assert read(finished | {"clock_exchanges": [EXCHANGE]}, RunFinished).clock_exchanges[0].lab_received_ns == 7
    with pytest.raises(MessageError, match=word):
        read(finished | {"clock_exchanges": [EXCHANGE | change]}, RunFinished)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"batch_starts_monotonic_ns": [1, 2, 3, 4, 5]}, "5 batch starts for 4"),
        ({"batch_starts_monotonic_ns": [1, 3, 3]}, "must ascend"),
        ({"images": 3, "batches": 4}, "fewer than batches"),
        ({"images": 3, "batches": 0}, "without a batch"),
        ({"images": 1, "batches": 1, "batch_durations_ns": [1, 2]}, "2 batch durations for 1"),
        ({"started_monotonic_ns": 5, "finished_monotonic_ns": 4}, "lies before"),
    ],
)
def test_a_finished_that_contradicts_itself_is_refused(change, word):
    with pytest.raises(MessageError, match=word):
        read({"finished_utc_ns": 1, "images": 4, "batches": 4} | change, RunFinished)


def test_the_median_of_durations_is_whole_nanoseconds():
    assert RunFinished.median_ns([1, 2, 4, 100]) == 3
    assert RunFinished.median_ns([]) is None


def test_a_reason_code_is_one_word_for_machines():
    with pytest.raises(MessageError, match="reason"):
        read({"reason": "Too bad!", "text": ""}, RunAbort)


def test_what_is_not_finite_is_no_quantity():
    for value in (math.nan, math.inf):
        with pytest.raises(ValidationError, match="finite"):
            Quantity(value=value, standard_uncertainty=0, expanded_uncertainty_95=0)


def test_terminal_phases_are_the_four_ends():
    ends = {phase for phase in RunPhase if phase.terminal}
    assert ends == {RunPhase.DONE, RunPhase.REJECTED, RunPhase.FAILED, RunPhase.INTERRUPTED}
    assert RunState(run_id="r1", state=RunPhase.DONE, at_utc_ns=1).terminal


def test_a_message_cannot_be_changed():
    command = BoardCommand(run_id="r1", network="resnet18", batch_size=1)
    with pytest.raises(ValidationError, match="frozen"):
        command.run_id = "r2"


def test_a_payload_that_breaks_a_bound_four_thousand_times_makes_no_long_text():
    payload = b'{"v":1,"finished_utc_ns":1,"images":1,"batches":1,"batch_durations_ns":[' + b"-1," * 4000 + b"-1]}"
    with pytest.raises(MessageError) as refused:
        decode(RunFinished, payload, topic="t")
    assert len(refused.value.problems) == 11
    assert refused.value.problems[-1] == "3991 more"
