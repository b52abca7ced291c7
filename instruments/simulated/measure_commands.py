"""Measurements of the record on screen, as other people's programs ask for them: `:MEASure` and the voltmeter `:DVM`.

This project's own drivers compute from the record instead. What cannot be measured reads +9.9E+37 (reference 1.3).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import number_to_nr3, switch_to_text, text_to_choice, text_to_switch
from instruments.simulated.vertical import HOLE, REFERENCE_WORD, word_increment

NOT_MEASURABLE = 9.9e37
_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_INTERVALS = ("CYCLe", "DISPlay")
_TYPES = ("AC", "DC")
_HYSTERESIS = 0.2
"""A crossing counts once the signal has come from this part of its amplitude on the other side."""


class _Trace:
    """One channel of the record on screen, in channel units."""

    def __init__(self, values: NDArray[np.float64], interval_s: float) -> None:
        self.values = values
        self.interval_s = interval_s

    @property
    def cycle(self) -> NDArray[np.float64]:
        """Values of whole periods; all of them where there is no period."""
        rises, _ = self.crossings()
        return self.values[rises[0] : rises[-1]] if rises.size > 1 else self.values

    def crossings(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return where the signal rises and where it falls through its middle, in points."""
        low, high = self.values.min(), self.values.max()
        middle, band = (low + high) / 2, _HYSTERESIS * (high - low)
        side = np.where(self.values > middle + band, 1, np.where(self.values < middle - band, -1, 0))
        places = np.flatnonzero(side)
        change = np.flatnonzero(np.diff(side[places]))
        after = places[change + 1]
        return after[side[after] > 0], after[side[after] < 0]

    def period_s(self) -> float:
        rises, _ = self.crossings()
        return float(np.diff(rises).mean()) * self.interval_s if rises.size > 1 else NOT_MEASURABLE

    def width_s(self, *, high: bool) -> float:
        rises, falls = self.crossings()
        starts, ends = (rises, falls) if high else (falls, rises)
        ends = ends[ends > starts[0]] if starts.size else ends[:0]
        return float(ends[0] - starts[0]) * self.interval_s if ends.size else NOT_MEASURABLE

    def duty_pct(self) -> float:
        period_s, width_s = self.period_s(), self.width_s(high=True)
        return NOT_MEASURABLE if NOT_MEASURABLE in (period_s, width_s) else 100.0 * width_s / period_s

    def frequency_hz(self) -> float:
        period_s = self.period_s()
        return period_s if period_s == NOT_MEASURABLE else 1.0 / period_s


_PLAIN: dict[str, Callable[[_Trace], float]] = {
    "VMAX": lambda trace: float(trace.values.max()),
    "VMIN": lambda trace: float(trace.values.min()),
    "VPP": lambda trace: float(np.ptp(trace.values)),
    "VTOP": lambda trace: float(np.quantile(trace.values, 0.95)),
    "VBASe": lambda trace: float(np.quantile(trace.values, 0.05)),
    "VAMPlitude": lambda trace: float(np.subtract(*np.quantile(trace.values, (0.95, 0.05)))),
    "FREQuency": _Trace.frequency_hz,
    "PERiod": _Trace.period_s,
    "PWIDth": lambda trace: trace.width_s(high=True),
    "NWIDth": lambda trace: trace.width_s(high=False),
    "DUTYcycle": _Trace.duty_pct,
}


class MeasureCommands:
    """The measurement subsystem and the voltmeter."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self._source = "CHAN1"
        self._meter_on = False
        self._meter_mode = "DC"
        self._meter_source = "CHAN1"

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        tree.add("MEASure:SOURce", write=self._set_source, query=lambda _: self._source)
        tree.add("MEASure:CLEar", write=lambda _: None)
        for name, measure in _PLAIN.items():
            tree.add(f"MEASure:{name}", write=self._install, query=self._plain(measure))
        for name, average in (("VAVerage", _mean), ("VRMS", _root_mean_square)):
            tree.add(f"MEASure:{name}", write=self._install, query=self._over_interval(average))
        self._add_meter(tree)

    def _add_meter(self, tree: ScpiTree) -> None:
        tree.add("DVM:ENABle", write=self._switch_meter, query=lambda _: switch_to_text(self._meter_on))
        tree.add("DVM:SOURce", write=self._set_meter_source, query=lambda _: self._meter_source)
        tree.add("DVM:MODE", write=self._set_meter_mode, query=lambda _: self._meter_mode)
        tree.add("DVM:CURRent", query=lambda _: number_to_nr3(self._meter_value()))
        tree.add(
            "DVM:FREQuency", query=lambda _: number_to_nr3(self._measured(self._meter_source, _PLAIN["FREQuency"]))
        )

    def _plain(self, measure: Callable[[_Trace], float]) -> Callable[[Call], str]:
        return lambda call: number_to_nr3(self._measured(self._source_of(call.arguments), measure))

    def _over_interval(self, measure: Callable[[NDArray[np.float64], bool], float]) -> Callable[[Call], str]:
        def query(call: Call) -> str:
            interval, others = _leading(call.arguments, _INTERVALS, default="DISP")
            kind, others = _leading(others, _TYPES, default="DC")
            source = self._source_of(others)
            return number_to_nr3(
                self._measured(
                    source, lambda trace: measure(trace.cycle if interval == "CYCL" else trace.values, kind == "AC")
                )
            )

        return query

    def _measured(self, source: str, measure: Callable[[_Trace], float]) -> float:
        trace = self._trace(int(source[-1]))
        return NOT_MEASURABLE if trace is None else measure(trace)

    def _trace(self, number: int) -> _Trace | None:
        """Return a channel of the record on screen without its holes; None where it has none."""
        record = self._acquisition.current_record()
        codes = None if record is None else record.codes.get(number)
        if record is None or codes is None or not np.any(codes != HOLE):
            return None
        channel = record.sweep.settings.channels[number]
        values = (codes[codes != HOLE].astype(float) - REFERENCE_WORD) * word_increment(channel) + channel.offset
        return _Trace(values, record.sweep.interval_s)

    def _source_of(self, arguments: tuple[str, ...]) -> str:
        if len(arguments) > 1:
            raise ScpiError(-108)
        return text_to_choice(arguments[0], _CHANNELS) if arguments else self._source

    def _install(self, call: Call) -> None:
        """Put the measurement on the screen, which nobody sees."""
        for argument in call.arguments:
            text_to_choice(argument, (*_CHANNELS, *_INTERVALS, *_TYPES))

    def _set_source(self, call: Call) -> None:
        self._source = text_to_choice(call.text(), _CHANNELS)

    def _switch_meter(self, call: Call) -> None:
        self._meter_on = text_to_switch(call.text())

    def _set_meter_source(self, call: Call) -> None:
        self._meter_source = text_to_choice(call.text(), _CHANNELS)

    def _set_meter_mode(self, call: Call) -> None:
        self._meter_mode = text_to_choice(call.text(), ("ACRMs", "DC", "DCRMs", "FREQuency"))

    def _meter_value(self) -> float:
        if not self._meter_on:
            return NOT_MEASURABLE
        measures: dict[str, Callable[[_Trace], float]] = {
            "DC": lambda trace: _mean(trace.values, False),
            "DCRM": lambda trace: _root_mean_square(trace.values, False),
            "ACRM": lambda trace: _root_mean_square(trace.values, True),
            "FREQ": _PLAIN["FREQuency"],
        }
        return self._measured(self._meter_source, measures[self._meter_mode])


def _mean(values: NDArray[np.float64], _: bool) -> float:
    return float(values.mean())


def _root_mean_square(values: NDArray[np.float64], without_mean: bool) -> float:
    return float(values.std()) if without_mean else float(np.sqrt(np.mean(values**2)))


def _leading(arguments: tuple[str, ...], choices: tuple[str, ...], *, default: str) -> tuple[str, tuple[str, ...]]:
    """Return the first parameter if it is one of the choices, and the others."""
    if arguments:
        try:
            return text_to_choice(arguments[0], choices), arguments[1:]
        except ScpiError:
            pass
    return default, arguments
