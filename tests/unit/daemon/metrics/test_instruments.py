"""Instruments: failures by reason, recoveries by the step that worked."""

from daemon.metrics import Metrics
from instruments.errors import BadBlock, BenchNotReady, ConnectionFailed
from instruments.recovery import Recovery, RecoveryStep


def test_failures_are_counted_by_instrument_and_reason() -> None:
    metrics = Metrics()
    metrics.instruments.failed(BadBlock("truncated", instrument="oscilloscope"))
    both = [ConnectionFailed("gone", instrument=role) for role in ("oscilloscope", "power_supply")]
    metrics.instruments.failed(BenchNotReady(both))
    value = metrics.registry.get_sample_value
    name = "joulebench_instrument_failures_total"
    assert value(name, {"instrument": "oscilloscope", "reason": "bad_block"}) == 1
    assert value(name, {"instrument": "oscilloscope", "reason": "instrument_unreachable"}) == 1
    assert value(name, {"instrument": "power_supply", "reason": "instrument_unreachable"}) == 1
    assert value(name, {"instrument": "power_supply", "reason": "bad_block"}) == 0, "there before its first failure"


def test_recoveries_are_counted_by_what_worked() -> None:
    metrics = Metrics()
    metrics.instruments.recovered(Recovery(instrument="oscilloscope", step=RecoveryStep.CLEAR, duration_s=0.2))
    metrics.instruments.recovered(Recovery(instrument="oscilloscope", step=None, duration_s=9.0))
    text = metrics.page().decode()
    assert 'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="clear"} 1.0' in text
    assert 'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="none"} 1.0' in text
    assert 'joulebench_instrument_recovery_seconds_sum{instrument="oscilloscope"} 9.2' in text


def test_two_daemons_in_a_process_share_no_number() -> None:
    first, second = Metrics(), Metrics()
    first.broker.connected()
    assert second.registry.get_sample_value("joulebench_broker_connections_total") == 0
