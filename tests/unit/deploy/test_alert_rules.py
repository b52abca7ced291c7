"""Alert rules: they ask for what is exported; Prometheus' own tool accepts them, and each fires when it is to."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.deploy.promql import exported, metrics_in, unknown_in

RULES = Path(__file__).resolve().parents[3] / "deploy" / "prometheus" / "joulebench-alerts.yml"
JOB = 'job="joulebench",instance="lab"'
QUIET = {
    "up": "1",
    "joulebench_healthy": "1",
    "joulebench_ready": "1",
    "joulebench_broker_connected": "1",
    "joulebench_broker_connections_total": "1",
    "joulebench_disk_free_bytes": "20e9",
    "joulebench_disk_needed_bytes": "1e9",
    'joulebench_calibration_remaining_seconds{kind="gain"}': "2592000",
    'joulebench_calibration_remaining_seconds{kind="zero"}': "NaN",
    'joulebench_calibration_usable{kind="gain"}': "1",
    'joulebench_calibration_usable{kind="zero"}': "NaN",
    'joulebench_runs_total{verdict="valid"}': "0+1",
    'joulebench_runs_total{verdict="invalid"}': "0",
    'joulebench_runs_total{verdict="failed"}': "1",
    'joulebench_instrument_failures_total{instrument="oscilloscope",reason="bad_block"}': "2",
    'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="none"}': "1",
    'joulebench_supply_events_total{event="trip"}': "1",
    'joulebench_queue_messages{queue="outbox"}': "400",
    'joulebench_queue_limit_messages{queue="outbox"}': "1000",
    'joulebench_queue_dropped_total{queue="outbox"}': "7",
    "joulebench_run_in_hand_seconds": "30",
    'joulebench_check_ok{check="conductor"}': "1",
    'joulebench_check_ok{check="journal"}': "1",
    "joulebench_database_errors_total": "1",
    'joulebench_event_loop_lag_seconds_bucket{le="0.3"}': "0+60",
    'joulebench_event_loop_lag_seconds_bucket{le="1.0"}': "0+60",
    'joulebench_event_loop_lag_seconds_bucket{le="+Inf"}': "0+60",
    'joulebench_http_refusals_total{cause="token"}': "3",
}
"""Every series of a daemon that does well, a sample a minute: its value, or how it begins and what is added."""
FIRING = {
    "JoulebenchDown": {"up": "0"},
    "JoulebenchUnhealthy": {"joulebench_healthy": "0"},
    "JoulebenchNotReady": {"joulebench_ready": "0"},
    "JoulebenchBrokerLost": {"joulebench_broker_connected": "0"},
    "JoulebenchBrokerUnsteady": {"joulebench_broker_connections_total": "0+1"},
    "JoulebenchDiskLow": {"joulebench_disk_free_bytes": "4e9"},
    "JoulebenchDiskFullSoon": {"joulebench_disk_free_bytes": "20e9-2e7"},
    "JoulebenchCalibrationExpires": {'joulebench_calibration_remaining_seconds{kind="gain"}': "500000"},
    "JoulebenchCalibrationUnusable": {'joulebench_calibration_usable{kind="gain"}': "0"},
    "JoulebenchManyBadRuns": {'joulebench_runs_total{verdict="invalid"}': "0+1"},
    "JoulebenchInstrumentFails": {
        'joulebench_instrument_failures_total{instrument="oscilloscope",reason="bad_block"}': "0+1"
    },
    "JoulebenchInstrumentNotBack": {
        'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="none"}': "0+1"
    },
    "JoulebenchSupplyTripped": {'joulebench_supply_events_total{event="trip"}': "0+1"},
    "JoulebenchQueueFills": {'joulebench_queue_messages{queue="outbox"}': "600"},
    "JoulebenchMessagesDropped": {'joulebench_queue_dropped_total{queue="outbox"}': "0+1"},
    "JoulebenchRunStuck": {"joulebench_run_in_hand_seconds": "4000"},
    "JoulebenchDatabaseRefuses": {'joulebench_check_ok{check="journal"}': "0"},
    "JoulebenchEventLoopHeldUp": {'joulebench_event_loop_lag_seconds_bucket{le="0.3"}': "0+10"},
    "JoulebenchControlTried": {'joulebench_http_refusals_total{cause="token"}': "0+2"},
}
"""What makes each alert fire, and none of the others."""
SAMPLES, AT = 100, "90m"
EVALUATED = "5m"
"""Less often than Prometheus does, so that the test takes seconds."""


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


@pytest.fixture(scope="session")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed (part of Prometheus)")
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_rule_asks_for_what_is_exported(rule: dict[str, Any]) -> None:
    assert unknown_in(rule["expr"], exported()) == set()
    assert metrics_in(rule["expr"])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_each_rule_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"].startswith("{{ $labels.instance }}: ")
    assert len(rule["annotations"]["description"]) > 20


def test_every_alert_is_made_to_fire() -> None:
    assert {rule["alert"] for rule in rules()} == set(FIRING)
    assert all(set(changed) <= set(QUIET) for changed in FIRING.values())


def test_what_the_rules_are_tested_with_is_exported() -> None:
    assert [name for name in QUIET if unknown_in(name, exported())] == []


def test_prometheus_accepts_the_rules(promtool: str) -> None:
    assert run(promtool, "check", RULES) == ""


def test_each_alert_fires_when_it_is_to_and_at_no_other_time(promtool: str, tmp_path: Path) -> None:
    cases = [case("quiet", {}, []), *(case(alert, changed, [alert]) for alert, changed in FIRING.items())]
    assert complaints(promtool, tmp_path, cases) == ""


def test_an_alert_that_does_not_fire_is_seen(promtool: str, tmp_path: Path) -> None:
    assert "JoulebenchDown" in complaints(promtool, tmp_path, [case("planted", {}, ["JoulebenchDown"])])


def complaints(promtool: str, folder: Path, cases: list[dict[str, Any]]) -> str:
    """Return what Prometheus' tool complains of."""
    file = folder / "tests.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": EVALUATED, "tests": cases}))
    return run(promtool, "test", file)


def run(promtool: str, verb: str, file: Path) -> str:
    command = [promtool, verb, "rules", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def case(name: str, changed: dict[str, str], firing: list[str]) -> dict[str, Any]:
    series = [{"series": labelled(key), "values": values(value)} for key, value in (QUIET | changed).items()]
    samples = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in firing]
    expression = 'count by (alertname) (ALERTS{alertstate="firing"})'
    return {
        "name": name,
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [{"expr": expression, "eval_time": AT, "exp_samples": samples}],
    }


def labelled(key: str) -> str:
    name, _, labels = key.partition("{")
    return f"{name}{{{JOB}{',' + labels.rstrip('}') if labels else ''}}}"


def values(text: str) -> str:
    if text in {"NaN"}:
        return " ".join(["NaN"] * SAMPLES)
    for sign in "+-":
        begin, found, step = text.rpartition(sign)
        if found and begin and not begin.endswith("e"):
            return f"{float(begin):.0f}{sign}{float(step):.0f}x{SAMPLES}"
    return f"{float(text):.0f}+0x{SAMPLES}"
