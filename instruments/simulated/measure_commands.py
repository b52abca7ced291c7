"""Measurements of the record on screen, as other people's programs ask for them: `:MEASure` and the voltmeter `:DVM`.

This project's own drivers compute from the record instead.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.measure_statistics import InstalledMeasurements
from instruments.simulated.measured_trace import NOT_MEASURABLE, MeasuredTrace
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import number_to_nr3, switch_to_text, text_to_choice, text_to_switch
from instruments.simulated.vertical import HOLE, REFERENCE_WORD, word_increment

_CHANNELS = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4")
_INTERVALS = ("CYCLe", "DISPlay")
_TYPES = ("AC", "DC")
_STATISTICS = ("ON", "OFF", "CURRent", "MINimum", "MAXimum", "MEAN", "STDDev", "COUNt")
_PLAIN: dict[str, tuple[str, Callable[[MeasuredTrace], float]]] = {
    "VMAX": ("Maximum", lambda trace: float(trace.values.max())),
    "VMIN": ("Minimum", lambda trace: float(trace.values.min())),
    "VPP": ("Pk-Pk", lambda trace: float(np.ptp(trace.values))),
    "VTOP": ("Top", MeasuredTrace.top),
    "VBASe": ("Base", MeasuredTrace.base),
    "VAMPlitude": ("Amplitude", lambda trace: trace.top() - trace.base()),
    "SDEViation": ("Std Dev", lambda trace: float(trace.values.std())),
    "OVERshoot": ("Overshoot", lambda trace: trace.overshoot_pct(before_edge=False)),
    "PREShoot": ("Preshoot", lambda trace: trace.overshoot_pct(before_edge=True)),
    "FREQuency": ("Frequency", MeasuredTrace.frequency_hz),
    "COUNter": ("Counter", MeasuredTrace.frequency_hz),
    "PERiod": ("Period", MeasuredTrace.period_s),
    "PWIDth": ("+ Width", lambda trace: trace.width_s(high=True)),
    "NWIDth": ("- Width", lambda trace: trace.width_s(high=False)),
    "DUTYcycle": ("+ Duty", lambda trace: trace.duty_pct(high=True)),
    "NDUTy": ("- Duty", lambda trace: trace.duty_pct(high=False)),
    "RISetime": ("Rise", lambda trace: trace.transition_s(rising=True)),
    "FALLtime": ("Fall", lambda trace: trace.transition_s(rising=False)),
    "BRATe": ("Bit Rate", MeasuredTrace.bit_rate_hz),
    "BWIDth": ("Burst Width", MeasuredTrace.burst_s),
    "PEDGes": ("+ Edges", lambda trace: trace.edge_count(rising=True)),
    "NEDGes": ("- Edges", lambda trace: trace.edge_count(rising=False)),
    "PPULses": ("+ Pulses", lambda trace: trace.pulse_count(high=True)),
    "NPULses": ("- Pulses", lambda trace: trace.pulse_count(high=False)),
}
"""Measurements without parameters of their own: what the screen calls them, and how they are computed."""


_Value = Callable[[Call], float]
"""What a measurement reads, with the parameters of the command."""


class MeasureCommands:
    """The measurement subsystem and the voltmeter."""

    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition
        self._installed = InstalledMeasurements()
        self.reset()

    def reset(self) -> None:
        """Return to the default settings, nothing installed."""
        self._source, self._second_source = "CHAN1", ""
        self._statistics = "ON"
        self._installed.clear()
        self._meter_on = False
        self._meter_mode = "DC"
        self._meter_source = "CHAN1"

    def add_to(self, tree: ScpiTree) -> None:
        """Add the commands."""
        tree.add("MEASure:SOURce", write=self._set_source, query=lambda _: self._sources())
        tree.add("MEASure:CLEar", write=lambda _: self._installed.clear())
        for name, (label, measure) in _PLAIN.items():
            value = self._plain(measure)
            tree.add(f"MEASure:{name}", write=self._installer(label, value), query=_answer(value))
        for name, label, average in (("VAVerage", "Average", _mean), ("VRMS", "RMS", _root_mean_square)):
            value = self._over_interval(average)
            tree.add(f"MEASure:{name}", write=self._installer(label, value), query=_answer(value))
        self._add_statistics(tree)
        self._add_meter(tree)

    def _add_statistics(self, tree: ScpiTree) -> None:
        tree.add("MEASure:STATistics", write=self._set_statistics, query=lambda _: self._statistics)
        tree.add("MEASure:STATistics:RESet", write=lambda _: self._installed.restart())
        tree.add("MEASure:STATistics:INCRement", write=lambda _: self._see())
        tree.add("MEASure:RESults", query=lambda _: self._results())

    def _add_meter(self, tree: ScpiTree) -> None:
        tree.add("DVM:ENABle", write=self._switch_meter, query=lambda _: switch_to_text(self._meter_on))
        tree.add("DVM:SOURce", write=self._set_meter_source, query=lambda _: self._meter_source)
        tree.add("DVM:MODE", write=self._set_meter_mode, query=lambda _: self._meter_mode)
        tree.add("DVM:CURRent", query=lambda _: number_to_nr3(self._meter_value()))
        tree.add(
            "DVM:FREQuency",
            query=lambda _: number_to_nr3(self._measured(self._meter_source, MeasuredTrace.frequency_hz)),
        )

    def _plain(self, measure: Callable[[MeasuredTrace], float]) -> _Value:
        return lambda call: self._measured(self._source_of(call.arguments), measure)

    def _over_interval(self, measure: Callable[[NDArray[np.float64], bool], float]) -> _Value:
        def value(call: Call) -> float:
            interval, others = _leading(call.arguments, _INTERVALS, default="DISP")
            kind, others = _leading(others, _TYPES, default="DC")
            return self._measured(
                self._source_of(others),
                lambda trace: measure(trace.cycle if interval == "CYCL" else trace.values, kind == "AC"),
            )

        return value

    def _installer(self, label: str, value: _Value) -> Callable[[Call], None]:
        def install(call: Call) -> None:
            _, others = _leading(call.arguments, _INTERVALS, default="DISP")
            _, others = _leading(others, _TYPES, default="DC")
            source = self._source_of(others)
            told = call.arguments[: len(call.arguments) - len(others)]
            again = Call(call.suffixes, (*told, source))
            self._installed.install(f"{label}({source[-1]})", lambda: value(again))

        return install

    def _see(self) -> None:
        record = self._acquisition.current_record()
        if record is not None:
            self._installed.see(record.sweep.index)

    def _results(self) -> str:
        self._see()
        return self._installed.results("ON" if self._statistics == "OFF" else self._statistics)

    def _set_statistics(self, call: Call) -> None:
        self._statistics = text_to_choice(call.text(), _STATISTICS)

    def _measured(self, source: str, measure: Callable[[MeasuredTrace], float]) -> float:
        trace = self._trace(int(source[-1]))
        return NOT_MEASURABLE if trace is None else measure(trace)

    def _trace(self, number: int) -> MeasuredTrace | None:
        """Return a channel of the record on screen without its holes; None where it has none."""
        record = self._acquisition.current_record()
        codes = None if record is None else record.codes.get(number)
        if record is None or codes is None or not np.any(codes != HOLE):
            return None
        channel = record.sweep.settings.channels[number]
        values = (codes[codes != HOLE].astype(float) - REFERENCE_WORD) * word_increment(channel) + channel.offset
        return MeasuredTrace(values, record.interval_s)

    def _source_of(self, arguments: tuple[str, ...]) -> str:
        if len(arguments) > 1:
            raise ScpiError(-108)
        return text_to_choice(arguments[0], _CHANNELS) if arguments else self._source

    def _set_source(self, call: Call) -> None:
        if not 1 <= len(call.arguments) <= 2:
            raise ScpiError(-108 if call.arguments else -109)
        first, *second = (text_to_choice(argument, _CHANNELS) for argument in call.arguments)
        self._source, self._second_source = first, "".join(second)

    def _sources(self) -> str:
        return f"{self._source},{self._second_source}" if self._second_source else self._source

    def _switch_meter(self, call: Call) -> None:
        self._meter_on = text_to_switch(call.text())

    def _set_meter_source(self, call: Call) -> None:
        self._meter_source = text_to_choice(call.text(), _CHANNELS)

    def _set_meter_mode(self, call: Call) -> None:
        self._meter_mode = text_to_choice(call.text(), ("ACRMs", "DC", "DCRMs", "FREQuency"))

    def _meter_value(self) -> float:
        if not self._meter_on:
            return NOT_MEASURABLE
        measures: dict[str, Callable[[MeasuredTrace], float]] = {
            "DC": lambda trace: _mean(trace.values, False),
            "DCRM": lambda trace: _root_mean_square(trace.values, False),
            "ACRM": lambda trace: _root_mean_square(trace.values, True),
            "FREQ": MeasuredTrace.frequency_hz,
        }
        return self._measured(self._meter_source, measures[self._meter_mode])


def _answer(value: _Value) -> Callable[[Call], str]:
    return lambda call: number_to_nr3(value(call))


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
