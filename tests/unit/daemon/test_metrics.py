"""What is counted can be read over HTTP, where the configuration says so, and nowhere else."""

import socket
import urllib.request

import pytest

from daemon.errors import DaemonError
from daemon.metrics import Metrics
from instruments.errors import BadBlock, BenchNotReady, ConnectionFailed
from instruments.recovery import Recovery, RecoveryStep


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_failures_are_counted_by_instrument_and_reason() -> None:
    metrics = Metrics()
    metrics.failed(BadBlock("truncated", instrument="oscilloscope"))
    both = [ConnectionFailed("gone", instrument=role) for role in ("oscilloscope", "power_supply")]
    metrics.failed(BenchNotReady(both))
    value = metrics.registry.get_sample_value
    name = "joulebench_instrument_failures_total"
    assert value(name, {"instrument": "oscilloscope", "reason": "bad_block"}) == 1
    assert value(name, {"instrument": "oscilloscope", "reason": "instrument_unreachable"}) == 1
    assert value(name, {"instrument": "power_supply", "reason": "instrument_unreachable"}) == 1


def test_they_are_served_while_the_daemon_runs(free_port: int) -> None:
    metrics = Metrics()
    metrics.recovered(Recovery(instrument="oscilloscope", step=RecoveryStep.CLEAR, duration_s=0.2))
    metrics.recovered(Recovery(instrument="oscilloscope", step=None, duration_s=9.0))
    address = f"http://127.0.0.1:{free_port}/metrics"
    with metrics.served(("127.0.0.1", free_port)):
        text = urllib.request.urlopen(address, timeout=5).read().decode()
    assert 'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="clear"} 1.0' in text
    assert 'joulebench_instrument_recoveries_total{instrument="oscilloscope",step="none"} 1.0' in text
    assert 'joulebench_instrument_recovery_seconds_sum{instrument="oscilloscope"} 9.2' in text
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(address, timeout=5)


def test_without_an_address_nothing_listens(free_port: int) -> None:
    with Metrics().served(None), pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics", timeout=5)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DaemonError, match=f"127.0.0.1:{port}.*change"), Metrics().served(("127.0.0.1", port)):
            raise AssertionError("not reached")
