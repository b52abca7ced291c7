"""The reader of expressions sees a metric or a label that is not there, and takes nothing else for one."""

import pytest

from tests.unit.deploy.promql import exported, metrics_in, unknown_in

GOOD = 'sum by (verdict) (increase(joulebench_runs_total{verdict=~"invalid|failed"}[2h])) > 0.2 * up{job="joulebench"}'


def test_metrics_are_found_among_functions_labels_and_ranges() -> None:
    assert metrics_in(GOOD) == {"joulebench_runs_total", "up"}
    quantile = "histogram_quantile(0.99, sum by (le) (rate(joulebench_capture_seconds_bucket[$__rate_interval])))"
    assert metrics_in(quantile) == {"joulebench_capture_seconds_bucket"}
    assert unknown_in(GOOD, exported()) == unknown_in(quantile, exported()) == set()


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("joulebench_ready == 0 and joulebench_redy == 0", {"joulebench_redy"}),
        ('joulebench_runs_total{verdikt="valid"}', {"joulebench_runs_total{verdikt}"}),
        ('joulebench_ready{verdict="valid"} or joulebench_runs_total', {"joulebench_ready{verdict}"}),
        ("sum by (board) (joulebench_runs_total)", {"board"}),
        ("rate(joulebench_runs[5m])", {"joulebench_runs"}),
    ],
)
def test_what_is_not_exported_is_seen(expression: str, unknown: set[str]) -> None:
    assert unknown_in(expression, exported()) == unknown
