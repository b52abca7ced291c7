"""What a marker costs: measured, and printed."""

import json

import pytest
from typer.testing import CliRunner

from daemon.cli.main import app
from runners.markers.cost import UNCOUNTED, measure_cost


class SlowMarker:
    """A marker with a clock of its own: high takes 5 us, low 3, and every tenth high 100 us more."""

    url, wired = "slow", True

    def __init__(self) -> None:
        self.now_ns = 0
        self.levels: list[bool] = []

    def set(self, level: bool) -> None:
        self.levels.append(level)
        self.now_ns += 5000 if level else 3000
        if level and self.levels.count(True) % 10 == 0:
            self.now_ns += 100_000

    def close(self) -> None: ...


@pytest.fixture
def cost(monkeypatch):
    monkeypatch.setattr("runners.markers.cost.LOW_S", 0.0)
    marker = SlowMarker()
    return measure_cost(marker, pulses=200, monotonic_ns=lambda: marker.now_ns)


def test_each_edge_and_both_together(cost):
    assert (cost.rise.median_us, cost.rise.p95_us, cost.rise.worst_us) == (5.0, 105.0, 105.0)
    assert (cost.fall.median_us, cost.fall.p95_us, cost.fall.worst_us) == (3.0, 3.0, 3.0)
    assert (cost.batch.median_us, cost.batch.worst_us) == (8.0, 108.0)


def test_the_share_of_a_batch(cost):
    assert cost.share_of(0.001) == pytest.approx(0.008)


def test_the_line_is_low_at_the_end(monkeypatch):
    monkeypatch.setattr("runners.markers.cost.LOW_S", 0.0)
    marker = SlowMarker()
    measure_cost(marker, pulses=3)
    assert marker.levels == [True, False] * (UNCOUNTED + 3)


def run(*arguments: str) -> str:
    outcome = CliRunner().invoke(app, ["board", "marker", *arguments])
    assert outcome.exit_code == 0, outcome.output
    return outcome.stdout


def test_the_verb_prints_one_document(marker_bench):
    document = json.loads(run("--marker", marker_bench.url, "--pulses", "30", "--batch-ms", "2", "--json"))
    assert (document["url"], document["pulses"]) == (marker_bench.url, 30)
    assert 0 < document["rise"]["median_us"] <= document["rise"]["p95_us"] <= document["rise"]["worst_us"]
    assert document["share"] == pytest.approx(document["batch"]["median_us"] / 2000)
    assert marker_bench.levels == "10" * (30 + UNCOUNTED) + "0", "closed low"


def test_the_verb_prints_a_table(marker_bench):
    text = run("--marker", marker_bench.url, "--pulses", "30")
    for word in ("median µs", "95 % within µs", "worst µs", "% of a batch of 10 ms"):
        assert word in text
