"""Commands that set and read the oscilloscope's front panel (reference 1.4)."""

from collections.abc import Callable
from typing import Any

from instruments.simulated.acquisition import Acquisition
from instruments.simulated.error_queue import ScpiError
from instruments.simulated.kept_settings import add_kept_settings
from instruments.simulated.sample_rate import memory_in_use, sample_rate_hz
from instruments.simulated.scope_settings import AcquisitionKind, ChannelSettings, PodSettings, ScopeSettings
from instruments.simulated.scpi_tree import Call, ScpiTree
from instruments.simulated.scpi_values import (
    number_to_nr1,
    number_to_nr3,
    switch_to_text,
    text_to_choice,
    text_to_number,
    text_to_switch,
    unquoted,
)
from instruments.simulated.segment_commands import SegmentCommands

LONGEST_POSITION_S = 500.0
_THRESHOLDS_V = {"TTL": 1.4, "CMOS": 2.5, "ECL": -1.3}
_TRIGGER_MODES = (
    "EDGE", "GLITch", "PATTern", "TV", "DELay", "EBURst", "OR", "RUNT", "SHOLd", "TRANsition", "SBUS1", "USB",
)  # fmt: skip
_ANALOG_SOURCES = ("CHANnel1", "CHANnel2", "CHANnel3", "CHANnel4", "EXTernal")
_SOURCES = (*_ANALOG_SOURCES, *(f"DIGital{line}" for line in range(8)), "LINE", "WGEN")


def add_setting_commands(tree: ScpiTree, acquisition: Acquisition) -> None:
    """Add the channel, time base, trigger, acquisition and pod commands."""
    _ChannelCommands(acquisition).add_to(tree)
    _TimeBaseCommands(acquisition).add_to(tree)
    _TriggerCommands(acquisition).add_to(tree)
    _AcquireCommands(acquisition).add_to(tree)
    _PodCommands(acquisition).add_to(tree)
    SegmentCommands(acquisition).add_to(tree)
    add_kept_settings(tree, acquisition)


class _Commands:
    def __init__(self, acquisition: Acquisition) -> None:
        self._acquisition = acquisition

    @property
    def _settings(self) -> ScopeSettings:
        return self._acquisition.settings

    def _attribute(
        self, holder: Callable[[Call], Any], name: str, parse: Callable[[str], Any], answer: Callable[[Any], str]
    ) -> dict[str, Any]:
        """Return handlers that set and read one attribute of what `holder` finds."""
        return {
            "write": lambda call: setattr(holder(call), name, parse(call.text())),
            "query": lambda call: answer(getattr(holder(call), name)),
        }


class _ChannelCommands(_Commands):
    def add_to(self, tree: ScpiTree) -> None:
        self._add_vertical(tree)
        for node, name in (("DISPlay", "displayed"), ("BWLimit", "bandwidth_limit"), ("INVert", "inverted")):
            tree.add(f"CHANnel<n>:{node}", **self._attribute(self._channel, name, text_to_switch, switch_to_text))
        for node, name, choices in (("UNITs", "unit", ("VOLT", "AMPere")), ("COUPling", "coupling", ("AC", "DC"))):
            tree.add(f"CHANnel<n>:{node}", **self._attribute(self._channel, name, _chooser(*choices), str))
        tree.add("CHANnel<n>:IMPedance", write=self._set_impedance, query=lambda _: "ONEM")
        tree.add("CHANnel<n>:LABel", **self._attribute(self._channel, "label", _label, '"{}"'.format))
        tree.add("CHANnel<n>:PROBe:ID", query=self._probe_id)
        tree.add("CHANnel<n>:PROBe:SKEW", **self._attribute(self._channel, "skew_s", _skew, number_to_nr3))

    def _add_vertical(self, tree: ScpiTree) -> None:
        tree.add("CHANnel<n>:PROBe", write=self._set_probe, query=lambda call: number_to_nr3(self._channel(call).ratio))
        tree.add("CHANnel<n>:SCALe", write=self._set_scale, query=lambda call: number_to_nr3(self._channel(call).scale))
        tree.add(
            "CHANnel<n>:RANGe",
            write=lambda call: self._channel(call).set_scale(_positive(call.text()) / 8),
            query=lambda call: number_to_nr3(8 * self._channel(call).scale),
        )
        tree.add(
            "CHANnel<n>:OFFSet",
            write=lambda call: self._channel(call).set_offset(text_to_number(call.text())),
            query=lambda call: number_to_nr3(self._channel(call).offset),
        )

    def _channel(self, call: Call) -> ChannelSettings:
        if call.channel not in self._settings.channels:
            raise ScpiError(-113)
        return self._settings.channels[call.channel]

    def _set_probe(self, call: Call) -> None:
        ratio = _positive(call.text())
        if not 0.001 <= ratio <= 10_000:
            raise ScpiError(-222)
        self._channel(call).ratio = ratio

    def _set_scale(self, call: Call) -> None:
        self._channel(call).set_scale(_positive(call.text()))

    def _probe_id(self, call: Call) -> str:
        self._channel(call)
        return "Unknown"  # a plain BNC: a probe that says nothing of itself

    def _set_impedance(self, call: Call) -> None:
        self._channel(call)
        # 1 MOhm only: FIFTy is refused (reference 1.1).
        text_to_choice(call.text(), ("ONEMeg",))


class _TimeBaseCommands(_Commands):
    def add_to(self, tree: ScpiTree) -> None:
        tree.add(
            "TIMebase:RANGe",
            write=lambda call: self._set_range(_positive(call.text())),
            query=lambda _: number_to_nr3(self._settings.time_base.range_s),
        )
        tree.add(
            "TIMebase:SCALe",
            write=lambda call: self._set_range(10 * _positive(call.text())),
            query=lambda _: number_to_nr3(self._settings.time_base.range_s / 10),
        )
        for node, name, parse, answer in (
            ("POSition", "position_s", _position, number_to_nr3),
            ("REFerence", "reference", _chooser("LEFT", "CENTer", "RIGHt"), str),
            ("MODE", "mode", _chooser("MAIN", "WINDow", "XY", "ROLL"), str),
        ):
            tree.add(f"TIMebase:{node}", **self._attribute(self._time_base, name, parse, answer))

    def _time_base(self, _: Call) -> Any:
        return self._settings.time_base

    def _set_range(self, range_s: float) -> None:
        # Clamped in silence, as the instrument does: 5 ns to 50 s per division.
        self._settings.time_base.range_s = min(max(range_s, 50e-9), 500.0)


class _TriggerCommands(_Commands):
    def add_to(self, tree: ScpiTree) -> None:
        for node, name, parse, answer in (
            (":SWEep", "sweep", _chooser("AUTO", "NORMal"), str),
            ("[:EDGE]:SOURce", "source", _chooser(*_SOURCES), str),
            ("[:EDGE]:SLOPe", "slope", _chooser("POSitive", "NEGative", "EITHer", "ALTernate"), str),
            ("[:EDGE]:COUPling", "coupling", _chooser("AC", "DC", "LFReject"), str),
            (":HOLDoff", "holdoff_s", _holdoff, number_to_nr3),
        ):
            tree.add(f"TRIGger{node}", **self._attribute(self._trigger, name, parse, answer))
        mode = self._attribute(self._trigger, "mode", _chooser(*_TRIGGER_MODES), str)
        tree.add("TRIGger:MODE", write=mode["write"], query=lambda _: self._mode())
        tree.add("TRIGger[:EDGE]:LEVel", write=self._set_level, query=self._level)

    def _trigger(self, _: Call) -> Any:
        return self._settings.trigger

    def _mode(self) -> str:
        # In these no trigger takes part (reference 1.4).
        return "NONE" if self._settings.time_base.mode in ("ROLL", "XY") else self._settings.trigger.mode

    def _set_level(self, call: Call) -> None:
        if not 1 <= len(call.arguments) <= 2:
            raise ScpiError(-108 if call.arguments else -109)
        source = self._analog_source(call.arguments[1:])
        self._settings.trigger.levels[source] = text_to_number(call.arguments[0]) / self._ratio(source)

    def _level(self, call: Call) -> str:
        source = self._analog_source(call.arguments)
        return number_to_nr3(self._settings.trigger.levels.get(source, 0.0) * self._ratio(source))

    def _analog_source(self, named: tuple[str, ...]) -> str:
        if named:
            return text_to_choice(named[0], _ANALOG_SOURCES)
        source = self._settings.trigger.source
        if not source.startswith(("CHAN", "EXT")):
            raise ScpiError(-221)
        return source

    def _ratio(self, source: str) -> float:
        return self._settings.channels[int(source[-1])].ratio if source.startswith("CHAN") else 1.0


class _AcquireCommands(_Commands):
    def add_to(self, tree: ScpiTree) -> None:
        tree.add("ACQuire:TYPE", write=self._set_kind, query=lambda _: self._settings.kind.value)
        tree.add(
            "ACQuire:COUNt",
            **self._attribute(lambda _: self._settings, "average_count", _average_count, number_to_nr1),
        )
        memory = self._acquisition.memory_points
        tree.add("ACQuire:POINts", query=lambda _: number_to_nr1(memory_in_use(self._settings, memory)))
        tree.add("ACQuire:SRATe", query=lambda _: number_to_nr3(sample_rate_hz(self._settings, memory)))

    def _set_kind(self, call: Call) -> None:
        kind = AcquisitionKind(text_to_choice(call.text(), ("NORMal", "AVERage", "HRESolution", "PEAK")))
        if kind is AcquisitionKind.AVERAGE and self._settings.segmented:
            raise ScpiError(-221)
        self._settings.kind = kind


class _PodCommands(_Commands):
    def add_to(self, tree: ScpiTree) -> None:
        tree.add("POD<n>:DISPlay", **self._attribute(self._pod, "displayed", text_to_switch, switch_to_text))
        tree.add("POD<n>:THReshold", **self._attribute(self._pod, "threshold", _threshold, str))
        tree.add("DIGital<n>:DISPlay", write=self._set_line, query=lambda call: switch_to_text(self._line(call)))
        tree.add("DIGital<n>:THReshold", **self._attribute(self._line_pod, "threshold", _threshold, str))

    def _pod(self, call: Call) -> PodSettings:
        if call.channel != 1:
            raise ScpiError(-241)
        return self._settings.pod

    def _line_pod(self, call: Call) -> PodSettings:
        self._line(call)
        return self._settings.pod

    def _line(self, call: Call) -> bool:
        if call.channel not in self._settings.pod.lines:
            raise ScpiError(-241)
        return self._settings.pod.displayed and self._settings.pod.lines[call.channel]

    def _set_line(self, call: Call) -> None:
        self._line(call)
        pod = self._settings.pod
        pod.lines[call.channel] = text_to_switch(call.text())
        pod.displayed = any(pod.lines.values())


def _chooser(*choices: str) -> Callable[[str], str]:
    return lambda text: text_to_choice(text, choices)


def _positive(text: str) -> float:
    value = text_to_number(text)
    if value <= 0:
        raise ScpiError(-222)
    return value


def _label(text: str) -> str:
    return unquoted(text)[:10]


def _bounded(text: str, low: float, high: float) -> float:
    value = text_to_number(text)
    if not low <= value <= high:
        raise ScpiError(-222)
    return value


def _position(text: str) -> float:
    """Return a trigger's distance from the reference point, clamped in silence to a screen of the longest range [?]."""
    return min(max(text_to_number(text), -LONGEST_POSITION_S), LONGEST_POSITION_S)


def _skew(text: str) -> float:
    return _bounded(text, -100e-9, 100e-9)


def _holdoff(text: str) -> float:
    return _bounded(text, 40e-9, 10.0)


def _average_count(text: str) -> int:
    return int(_bounded(text, 2, 65_536))


def _threshold(text: str) -> str:
    if text.upper() in _THRESHOLDS_V:
        return number_to_nr3(_THRESHOLDS_V[text.upper()])
    return number_to_nr3(_bounded(text, -8.0, 8.0))
