"""Broker, supply, disk, calibration, bench, program, refusals: what is told or asked is what is read."""

import math
from dataclasses import replace

import pytest

from calibration.selection import Selection, SelectionOutcome
from daemon.metrics import Metrics
from daemon.metrics.bench import BenchState
from daemon.metrics.refusals import HttpRefusal
from instruments.supply_reading import Questionable, SupplyMode, SupplyReading
from tests.unit.calibration.example_certificate import DAY_NS, MADE_NS, certificate
from tests.unit.daemon.metrics.hand_time import HandTime

READING = SupplyReading(
    voltage_v=19.0, current_a=0.15, mode=SupplyMode.CV, output_on=True, ovp_tripped=False, events=Questionable(0)
)


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(f"joulebench_{name}", labels)
    assert found is not None, f"there is no {name} {labels}"
    return found


def test_queues_are_asked_for_and_drops_counted() -> None:
    metrics, waiting = Metrics(), [1, 2, 3]
    metrics.broker.watch_queue("inbox", lambda: len(waiting), limit=1000)
    metrics.broker.dropped("inbox")
    assert value(metrics, "queue_messages", queue="inbox") == 3
    waiting.clear()
    assert value(metrics, "queue_messages", queue="inbox") == 0
    assert value(metrics, "queue_limit_messages", queue="inbox") == 1000
    assert value(metrics, "queue_dropped_total", queue="inbox") == 1
    assert value(metrics, "queue_dropped_total", queue="outbox") == 0


def test_the_connection_is_asked_for_and_counted() -> None:
    metrics, connected = Metrics(), [False]
    metrics.broker.watch(lambda: connected[0])
    assert value(metrics, "broker_connected") == 0
    connected[0] = True
    metrics.broker.connected()
    metrics.broker.connected()
    assert value(metrics, "broker_connected") == 1
    assert value(metrics, "broker_connections_total") == 2


def test_the_supply_shows_its_last_reading_and_its_age() -> None:
    clock = HandTime()
    metrics = Metrics(monotonic_s=clock)
    assert math.isnan(value(metrics, "supply_voltage_volts"))
    assert math.isnan(value(metrics, "supply_reading_age_seconds"))
    metrics.supply.read(READING)
    tripped = replace(READING, mode=SupplyMode.OFF, output_on=False, ovp_tripped=True, voltage_v=0.5, current_a=0.01)
    metrics.supply.read(replace(READING, events=Questionable.VOLTAGE_UNREGULATED))
    metrics.supply.read(tripped)
    clock.goes(12.0)
    assert value(metrics, "supply_voltage_volts") == 0.5
    assert value(metrics, "supply_current_amperes") == 0.01
    assert value(metrics, "supply_output_on") == 0
    assert {mode: value(metrics, "supply_mode", mode=mode) for mode in SupplyMode} == {
        mode: float(mode is SupplyMode.OFF) for mode in SupplyMode
    }
    assert value(metrics, "supply_events_total", event="trip") == 1
    assert value(metrics, "supply_events_total", event="cc_excursion") == 1
    assert value(metrics, "supply_reading_age_seconds") == 12.0


def test_space_and_captures() -> None:
    metrics = Metrics()
    metrics.disk.space(free_bytes=5_000, needed_bytes=1_000)
    metrics.disk.captures(files=3, size_bytes=777)
    assert value(metrics, "disk_free_bytes") == 5_000
    assert value(metrics, "disk_needed_bytes") == 1_000
    assert value(metrics, "captures_files") == 3
    assert value(metrics, "captures_bytes") == 777


def found(lasting_days: int) -> Selection[object]:
    one = certificate(f"for-{lasting_days}", lasting_days=lasting_days)
    return Selection(outcome=SelectionOutcome.FOUND, certificate=one, text="")


def test_the_certificate_that_ends_first_speaks() -> None:
    metrics = Metrics()
    gone = Selection(outcome=SelectionOutcome.EXPIRED, certificate=None, text="")
    now_ns = MADE_NS + DAY_NS
    metrics.calibration.examined({"delay": [found(30), found(10)], "zero": [gone]}, at_utc_ns=now_ns)
    assert value(metrics, "calibration_age_seconds", kind="delay") == pytest.approx(86400)
    assert value(metrics, "calibration_remaining_seconds", kind="delay") == pytest.approx(9 * 86400)
    assert value(metrics, "calibration_usable", kind="delay") == 1
    assert value(metrics, "calibration_usable", kind="zero") == 0
    assert math.isnan(value(metrics, "calibration_remaining_seconds", kind="zero"))
    assert math.isnan(value(metrics, "calibration_usable", kind="gain")), "not needed is not missing"


def test_the_bench_says_what_it_does() -> None:
    metrics, state = Metrics(), [BenchState.CLOSED]
    metrics.bench.watch(lambda: state[0])
    state[0] = BenchState.MEASURING
    assert {one: value(metrics, "bench_state", state=one) for one in BenchState} == {
        one: float(one is BenchState.MEASURING) for one in BenchState
    }


def test_health_is_asked_for() -> None:
    metrics, ok = Metrics(), [False]
    metrics.bench.watch_health(healthy=lambda: True, ready=lambda: ok[0])
    metrics.bench.watch_check("disk", lambda: ok[0])
    assert (value(metrics, "healthy"), value(metrics, "ready"), value(metrics, "check_ok", check="disk")) == (1, 0, 0)
    ok[0] = True
    assert (value(metrics, "ready"), value(metrics, "check_ok", check="disk")) == (1, 1)


def test_the_program_tells_what_it_is_and_since_when() -> None:
    clock = HandTime()
    metrics = Metrics(bench="lab-1", version="1.2.3", monotonic_s=clock)
    clock.goes(90.0)
    metrics.program.lagged(0.25)
    metrics.program.lagged(-0.001)
    assert value(metrics, "uptime_seconds") == 90.0
    assert value(metrics, "event_loop_lag_seconds_sum") == 0.25
    assert value(metrics, "event_loop_lag_seconds_count") == 2
    text = metrics.page().decode()
    assert 'joulebench_build_info{bench="lab-1"' in text
    assert 'version="1.2.3"' in text
    assert "process_resident_memory_bytes" in text


def test_refusals_are_counted_by_cause() -> None:
    metrics = Metrics()
    metrics.refusals.refused(HttpRefusal.TOKEN)
    assert value(metrics, "http_refusals_total", cause="token") == 1
    assert value(metrics, "http_refusals_total", cause="host") == 0
