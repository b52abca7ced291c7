"""The judge finds each crime where it is planted, and none where there is none."""

from dataclasses import replace
from typing import Any

import pytest

from daemon.verify.faults.evidence import KeptRun, SeenRun, TrueRecord
from daemon.verify.faults.judge import Crime, how_it_ended, is_valid, judged
from tests.unit.daemon.verify.planted_evidence import GOOD_RECORD, GOOD_RESULT, GOOD_RUN, evidence, seen

INTERRUPTED = KeptRun(
    state="interrupted", terminal=True, reason="daemon_stopped", finished=False, capture_indices=(), results=()
)


def crimes(run: SeenRun, kept: KeptRun | None, **changes: Any) -> list[Crime]:
    return [finding.crime for finding in judged(evidence((run, kept), **changes))]


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        (seen("good"), GOOD_RUN),
        (seen("told twice", told_results=("a", "a")), GOOD_RUN),
        (seen("interrupted", told="interrupted: daemon_stopped", told_results=(), records=()), INTERRUPTED),
        (seen("rejected", acknowledged=False, told="rejected: bench_busy", told_results=(), records=()), None),
        (seen("never asked", acknowledged=False, told=None, told_results=(), records=()), None),
        (seen("idle record", records=(replace(GOOD_RECORD, pulses=0), GOOD_RECORD)), GOOD_RUN),
        (
            seen("wrong and said so"),
            replace(GOOD_RUN, results=(replace(GOOD_RESULT, quality="invalid", gross_energy_per_image_j=3.0),)),
        ),
    ],
    ids=lambda value: value.run_id if isinstance(value, SeenRun) else "",
)
def test_nothing_is_found_where_nothing_is_wrong(run: SeenRun, kept: KeptRun | None) -> None:
    assert crimes(run, kept) == []


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        (seen("unknown to the store"), None),
        (seen("open in the store"), replace(INTERRUPTED, state="armed", terminal=False)),
        (seen("never told", told=None), GOOD_RUN),
        (seen("told otherwise", told="failed: no_trigger"), GOOD_RUN),
        (seen("result told to nobody", told_results=()), GOOD_RUN),
        (seen("done without a result", told_results=()), replace(GOOD_RUN, results=())),
        (
            seen("captured for nothing", told="interrupted: daemon_stopped", told_results=()),
            replace(INTERRUPTED, finished=True, capture_indices=(0,)),
        ),
    ],
    ids=lambda value: value.run_id if isinstance(value, SeenRun) else "",
)
def test_a_lost_run_is_found(run: SeenRun, kept: KeptRun | None) -> None:
    assert crimes(run, kept) == [Crime.LOST]


@pytest.mark.parametrize(
    ("run", "kept"),
    [
        (seen("two acquisitions", records=(GOOD_RECORD, GOOD_RECORD)), GOOD_RUN),
        (seen("two results told", told_results=("a", "b")), GOOD_RUN),
        (seen("two results kept"), replace(GOOD_RUN, results=(GOOD_RESULT, replace(GOOD_RESULT, result_id="b")))),
        (seen("two captures"), replace(GOOD_RUN, capture_indices=(0, 1))),
    ],
    ids=lambda value: value.run_id if isinstance(value, SeenRun) else "",
)
def test_a_run_that_was_measured_twice_is_found(run: SeenRun, kept: KeptRun) -> None:
    assert crimes(run, kept) == [Crime.DUPLICATED]


@pytest.mark.parametrize(
    ("run", "energy_j"),
    [
        (seen("off by more than its interval"), 1.011),
        (seen("off by more than half a per cent"), 1.0051),
        (seen("no acquisition", records=()), 1.0),
        (seen("no batch in it", records=(TrueRecord(pulses=0, gross_energy_j=None, held_voltage=True),)), 1.0),
        (seen("the supply gave way", records=(replace(GOOD_RECORD, held_voltage=False),)), 1.0),
        (seen("another run's batches", batches=5), 1.0),
        (seen("a batch too few in the record", records=(replace(GOOD_RECORD, pulses=3),)), 8 / 6),
        (seen("no energy"), None),
    ],
    ids=lambda value: value.run_id if isinstance(value, SeenRun) else "",
)
def test_a_result_that_is_called_valid_wrongly_is_found(run: SeenRun, energy_j: float | None) -> None:
    result = replace(GOOD_RESULT, gross_energy_per_image_j=energy_j)
    assert crimes(run, replace(GOOD_RUN, results=(result,))) == [Crime.WRONG_VALID]


def test_a_run_without_end_and_a_lab_that_takes_none_are_found() -> None:
    endless = seen("endless", ended=False, told=None, acknowledged=False, told_results=(), records=(), duration_s=60.0)
    assert crimes(endless, None) == [Crime.STUCK]
    assert crimes(seen("good"), GOOD_RUN, stuck=("no run is taken any more",)) == [Crime.STUCK]


def test_a_torn_file_is_found() -> None:
    assert crimes(seen("good"), GOOD_RUN, torn=("r-0.parquet: its checksum differs",)) == [Crime.TORN_FILE]


def test_a_finding_names_run_fault_and_moment() -> None:
    run = seen("p1-7", fault="daemon_killed", moment="4 ms after armed", told=None)
    (finding,) = judged(evidence((run, GOOD_RUN)))
    assert "run p1-7 (daemon_killed, 4 ms after armed)" in finding.text


def test_an_end_is_worded_as_in_the_table() -> None:
    doubtful = replace(GOOD_RESULT, quality="degraded", reasons=("too_few_batches",))
    assert how_it_ended(seen("r"), GOOD_RUN) == "valid"
    assert how_it_ended(seen("r"), replace(GOOD_RUN, results=(doubtful,))) == "degraded: too_few_batches"
    assert how_it_ended(seen("r"), INTERRUPTED) == "interrupted: daemon_stopped"
    assert how_it_ended(seen("r", told=None), None) == "never requested"
    assert is_valid(GOOD_RUN)
    assert not is_valid(replace(GOOD_RUN, results=(doubtful,)))
    assert not is_valid(None)
