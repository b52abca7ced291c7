"""Metrics of the supply: its last reading, whoever asked for it; nothing is asked for the metrics' sake."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from instruments.supply_reading import SupplyMode, SupplyReading

EVENTS = ("cc_excursion", "trip")
"""What a supply latches."""


class SupplyMetrics:
    """The last reading, its age, and what was latched."""

    def __init__(self, registry: CollectorRegistry, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._read_s: float | None = None
        self._mode: SupplyMode | None = None
        self._voltage_v = _gauge(registry, "voltage_volts", "Voltage that the supply measured last.")
        self._current_a = _gauge(registry, "current_amperes", "Current that the supply measured last.")
        self._output_on = _gauge(registry, "output_on", "1 where the output was on at the last reading.")
        _gauge(registry, "reading_age_seconds", "Age of the last reading; NaN before the first.").set_function(
            self._age_s
        )
        self._modes = Gauge(
            "joulebench_supply_mode", "1 for the regulation at the last reading.", ("mode",), registry=registry
        )
        self._events = Counter(
            "joulebench_supply_events",
            "Readings that told of a protection that acted, or of constant current in between.",
            ("event",),
            registry=registry,
        )
        for mode in SupplyMode:
            self._modes.labels(mode=mode.value)
        for event in EVENTS:
            self._events.labels(event=event)

    def read(self, reading: SupplyReading) -> None:
        """Take a reading; a few microseconds, for one comes every few milliseconds while a board runs."""
        self._read_s = self._monotonic_s()
        self._voltage_v.set(reading.voltage_v)
        self._current_a.set(reading.current_a)
        self._output_on.set(reading.output_on)
        if reading.mode is not self._mode:
            self._mode = reading.mode
            for mode in SupplyMode:
                self._modes.labels(mode=mode.value).set(mode is reading.mode)
        if reading.cc_excursion:
            self._events.labels(event="cc_excursion").inc()
        if reading.tripped:
            self._events.labels(event="trip").inc()

    def _age_s(self) -> float:
        return float("nan") if self._read_s is None else self._monotonic_s() - self._read_s


def _gauge(registry: CollectorRegistry, name: str, text: str) -> Gauge:
    gauge = Gauge(f"joulebench_supply_{name}", text, registry=registry)
    gauge.set(float("nan"))
    return gauge
