"""Virtual benches end to end: calibrated by the procedures, measured over sockets, held against the truth."""

import asyncio
import json
from typing import Any

import pytest
from typer.testing import CliRunner

from calibration.errors import ProcedureFailed
from daemon.bench_keeper import BenchKeeper
from daemon.cli.main import app
from daemon.errors import VerificationFailed
from daemon.verify import coverage, virtual_bench
from daemon.verify.coverage import report_of
from daemon.verify.score import Score
from instruments.simulated.truth import TruthClient
from metrology.ladder import Rung

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
FEW = 12


@pytest.mark.long
@pytest.mark.alone
def test_a_few_benches_are_as_good_as_they_say() -> None:
    """Twelve benches: fewer than nine inside would happen once in a thousand at 95 %."""
    result = CliRunner().invoke(app, ["verify", "coverage", "--benches", str(FEW), "--seed", "7", "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert set(report) == {
        "benches", "results", "coverage_95", "bias_pct", "median_u95_pct", "p95_abs_error_pct", "invalid",
    }  # fmt: skip
    assert report["benches"] == report["results"] == FEW
    assert report["invalid"] == 0
    assert report["coverage_95"] >= 9 / FEW
    assert 0.15 < report["median_u95_pct"] < 0.4
    # the declared limits would allow several per cent: the calibration is really used
    assert 0.0 < report["p95_abs_error_pct"] < 0.5


@pytest.mark.long
@pytest.mark.alone
def test_a_few_benches_by_the_clock_are_as_good_as_they_say() -> None:
    result = CliRunner().invoke(
        app, ["verify", "coverage", "--benches", "8", "--seed", "7", "--sync", "clock", "--json"]
    )
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["invalid"] <= 1
    assert report["coverage_95"] >= 5 / 8
    assert report["median_u95_pct"] < 0.4


def test_a_record_that_begins_late_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy computer forces the record while the board runs already: what it holds before is no idle baseline."""

    async def late(keeper: BenchKeeper, truth: TruthClient, rung: Rung) -> float:
        end_s = truth.play([(virtual_bench.BATCH_S, virtual_bench.GAP_S)] * virtual_bench.BATCHES)
        await asyncio.sleep(0.5 / virtual_bench.TIME_SCALE)
        await keeper.force()
        return end_s

    monkeypatch.setattr(virtual_bench, "begin_run", late)
    score = coverage._attempted(7_000_001, Rung.CLOCK)
    assert "baseline_missing" in score.reasons
    assert score.quality == "degraded"
    assert score.covered


def test_the_virtual_board_reports_all_its_batches() -> None:
    batches = virtual_bench.batches_until(10.0)
    assert len(batches) == virtual_bench.BATCHES
    assert batches[-1] == pytest.approx((10.0 - 0.155, 10.0 - 0.005))
    assert batches[0][0] == pytest.approx(10.0 - 11 * 0.155)


def test_a_bench_that_cannot_be_calibrated_counts_as_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    def crooked(seed: int, rung: Rung, **_: Any) -> Score:
        raise ProcedureFailed("gain", f"the points of {seed} and {rung} do not lie on a line")

    monkeypatch.setattr(coverage, "score_bench", crooked)
    score = coverage._attempted(5, Rung.MARKER)
    assert (score.quality, score.reasons, score.counts) == ("invalid", ("not calibrated",), False)


def test_a_bench_is_made_again_more_slowly_where_the_computer_was_too_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    paces: list[float] = []

    def unread(seed: int, rung: Rung, *, time_scale: float, **_: Any) -> Score:
        paces.append(time_scale)
        return Score(
            seed=seed, quality="valid", sync=rung, reasons=(), true_j=1.0, measured_j=1.0, u95_j=0.01,
            supply_was_read=len(paces) > 1,
        )  # fmt: skip

    monkeypatch.setattr(coverage, "score_bench", unread)
    assert coverage._attempted(5, Rung.MARKER).supply_was_read
    assert paces == [virtual_bench.TIME_SCALE, virtual_bench.TIME_SCALE / 2]


@pytest.mark.parametrize(
    ("planted", "code"),
    [
        ({"range_v_per_a": 0.01}, "probe_range"),
        ({"zero_shift_a": 0.02}, "zero_drift"),
        pytest.param({"turns": 2}, "probe_turns", marks=pytest.mark.long),
        pytest.param({"turns": 3}, "probe_turns", marks=pytest.mark.long),
        pytest.param({"battery": "empty"}, "probe_dead", marks=pytest.mark.long),
        pytest.param({"jaw": "open"}, "probe_dead", marks=pytest.mark.long),
    ],
)
def test_each_planted_fault_ends_with_its_own_code(planted: dict[str, Any], code: str) -> None:
    score = coverage._attempted(31, Rung.MARKER, **planted)
    assert code in score.reasons
    assert score.quality == ("degraded" if code == "zero_drift" else "invalid")


def test_no_result_at_all_is_an_error() -> None:
    dead = Score(
        seed=1, quality="invalid", sync="marker", reasons=("probe_dead",), true_j=1.0, measured_j=1.0, u95_j=1.0
    )
    with pytest.raises(VerificationFailed, match="none of 1 benches gave a result; reasons: probe_dead"):
        report_of([dead])


def test_the_report_counts_what_was_scored() -> None:
    def score(measured_j: float | None, quality: str = "valid") -> Score:
        u95_j = None if measured_j is None else 0.01
        return Score(seed=0, quality=quality, sync="marker", reasons=(), true_j=1.0, measured_j=measured_j, u95_j=u95_j)

    report = report_of([score(1.005), score(0.98, "degraded"), score(1.005, "invalid"), score(None)])
    assert (report.benches, report.results, report.invalid) == (4, 2, 2)
    assert report.coverage_95 == 0.5
    assert report.bias_pct == pytest.approx(-0.75)
    assert report.median_u95_pct == pytest.approx(1.0)
