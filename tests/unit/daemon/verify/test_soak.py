"""What grew over a soak, and what is held against it."""

import asyncio
import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from daemon.errors import VerificationFailed
from daemon.verify.soak import Sample, SoakReport, grown, sample_of, verify_soak
from tests.mosquitto import mosquitto_path

STEADY = Sample(resident_bytes=200_000_000, descriptors=36, threads=12, tasks=18, files=11)


def samples(count: int = 100, **per_run: float) -> list[Sample]:
    """Return samples of a process that holds so much more of each with every run."""
    values = {name: getattr(STEADY, name) for name in Sample.__dataclass_fields__}
    return [
        Sample(**{name: int(value + number * per_run.get(name, 0)) for name, value in values.items()})
        for number in range(count)
    ]


def report(taken: list[Sample], ended: Mapping[str, int] | None = None) -> SoakReport:
    ends = ended or {"valid": len(taken)}
    return SoakReport(runs=sum(ends.values()), ended=ends, duration_s=1.0, quantities=grown(taken))


def test_what_is_steady_is_not_held_against_it() -> None:
    assert report(samples()).complaints == ()


def test_growth_is_taken_from_the_second_tenth_to_the_last() -> None:
    memory = grown(samples(resident_bytes=1_000_000))["resident_bytes"]
    assert memory.start == 200_000_000 + 14.5e6
    assert memory.end == 200_000_000 + 94.5e6
    assert memory.growth == 80e6
    assert memory.growth_pct == pytest.approx(100 * 80e6 / 214.5e6)
    assert memory.most == 200_000_000 + 99e6


def test_what_the_first_tenth_fills_does_not_count() -> None:
    filling = samples()
    filling[:10] = [Sample(resident_bytes=1, descriptors=1, threads=1, tasks=1, files=0)] * 10
    assert report(filling).complaints == ()


@pytest.mark.parametrize("name", ["descriptors", "threads", "tasks", "files"])
def test_a_leak_of_one_in_fifty_runs_is_found(name: str) -> None:
    (complaint,) = report(samples(**{name: 0.02})).complaints
    assert complaint.startswith(f"{name} grew")


def test_memory_may_grow_by_less_than_five_per_cent() -> None:
    assert report(samples(resident_bytes=120_000)).complaints == ()  # 80 runs of 0.06 %
    (complaint,) = report(samples(resident_bytes=130_000)).complaints
    assert complaint.startswith("resident memory grew by 5.")


def test_runs_that_fail_show_nothing() -> None:
    assert report(samples(), {"valid": 90, "invalid: supply_disagreement": 6, "failed: no_trigger": 4}).complaints == ()
    (complaint,) = report(samples(), {"valid": 94, "failed: no_trigger": 6}).complaints
    assert "94 of 100" in complaint


def test_a_document_says_whether_it_passed() -> None:
    document = json.loads(json.dumps(report(samples(tasks=1)).document()))
    assert list(document) == ["runs", "ended", "duration_s", "quantities", "passed"]
    assert set(document["quantities"]) == set(Sample.__dataclass_fields__)
    assert document["quantities"]["tasks"] == pytest.approx(
        {"start": 32.5, "end": 112.5, "growth": 80.0, "growth_pct": 246.15, "most": 117.0}, abs=0.01
    )
    assert document["passed"] is False


async def test_a_sample_sees_what_is_opened(tmp_path: Path) -> None:
    before = sample_of(tmp_path)
    descriptor = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    task = asyncio.create_task(asyncio.Event().wait())
    after = sample_of(tmp_path)
    task.cancel()
    os.close(descriptor)
    assert (after.descriptors, after.tasks, after.files) == (before.descriptors + 1, before.tasks + 1, 1)
    assert after.resident_bytes > 1_000_000


def test_too_few_runs_are_refused() -> None:
    with pytest.raises(VerificationFailed, match="at least 100"):
        verify_soak(runs=99, seed=1)


@pytest.mark.long
@pytest.mark.mosquitto
@pytest.mark.timeout(600)
def test_a_hundred_runs_leak_nothing() -> None:
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    result = CliRunner().invoke(app, ["verify", "soak", "--runs", "100", "--json"])
    document = json.loads(result.stdout)
    for name in ("threads", "tasks", "files"):  # memory and descriptors still fill their pools over the first hundred
        assert document["quantities"][name]["growth"] < 1, document
    assert document["runs"] == sum(document["ended"].values()) == 100
