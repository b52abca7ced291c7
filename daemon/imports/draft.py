"""Draft: a recording as captures and facts, as they will be stored."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from daemon.errors import ImportRefused
from daemon.imports.channels import Channels, channels_of
from daemon.imports.cuts import Cut, cut
from daemon.imports.facts import ImportFacts
from daemon.imports.idle_stretch import find_idle
from daemon.imports.rounding import trace_of
from daemon.imports.source_file import SourceFile
from daemon.imports.stated_accuracy import StatedAccuracy
from instruments.recordings.recording import Recording
from instruments.recordings.series import Series
from metrology.analysis import MeasuredCapture
from metrology.capture import Capture
from metrology.coverage_interval import PROBABILITY
from metrology.supply import SupplyConditions
from metrology.timebase import TimeBase
from metrology.trace import Trace, Unit
from metrology.window import Window

UNKNOWN_INSTRUMENT = "unnamed meter"
_ENERGY_ALONE = "energyrunner"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImportDraft:
    """Captures of a recording with what the supply is taken to have been, and the facts that go with them."""

    captures: tuple[MeasuredCapture, ...]
    facts: ImportFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Built:
    capture: MeasuredCapture
    rounding_a: float
    rounding_v: float
    unexplained_part: float


def draft_of(
    recording: Recording,
    source: SourceFile,
    *,
    images_per_window: int,
    accuracy: StatedAccuracy,
    instrument: str | None = None,
    serial: str | None = None,
    supply_v: float | None = None,
) -> ImportDraft:
    """Return the captures of a recording.

    Args:
        recording: with its series.
        source: the file.
        images_per_window: images in each window.
        accuracy: what is known of the instrument.
        instrument: what recorded it, by the person; None: as the file says. A model is many units.
        serial: which unit of it, by the person; None: as the file says.
        supply_v: voltage where the instrument gave energy alone, in volts.

    Raises:
        ImportRefused: there is no sure window, or too many, or they cannot be told apart; or a serial number has no
            model.
    """
    series, windows = _sure(recording)
    idle = find_idle(series.bins, windows[0])
    apart = measured_apart(recording)
    from_line = recording.sync == "marker" and series.levels is not None
    cuts = cut(series, windows, idle, apart=apart, from_line=from_line)
    channels = channels_of(series, supply_v=supply_v)
    identity = _identity(recording, instrument, serial)
    built = [_build(one, channels, recording, identity=identity, name=f"capture {k}") for k, one in enumerate(cuts)]
    facts = ImportFacts(
        file=source.name,
        sha256=source.sha256,
        size_bytes=source.size_bytes,
        format=recording.instrument,
        identity=identity,
        is_unit=serial is not None or (recording.is_unit and instrument is None),
        sample_rate_hz=series.sample_rate_hz,
        samples_per_point=series.samples_per_bin,
        means=recording.means,
        windows=recording.sync,
        window_count=len(windows),
        images_per_window=images_per_window,
        edge_limit_s=recording.edge_limit_s,
        rounding_a=max(one.rounding_a for one in built),
        rounding_v=max(one.rounding_v for one in built),
        unexplained_part=max(one.unexplained_part for one in built),
        has_current=series.charges_c is not None,
        accuracy=_with_energy_alone(accuracy.with_defaults(identity), series),
        no_idle=idle.why_not,
        idle_limit_w=idle.limit_w,
        repeated_samples=sum(one.before + one.after for one in cuts),
    )
    return ImportDraft(captures=tuple(one.capture for one in built), facts=facts)


def _identity(recording: Recording, instrument: str | None, serial: str | None) -> str:
    model = instrument or recording.identity
    if serial is None:
        return model or UNKNOWN_INSTRUMENT
    if not model:
        raise ImportRefused(
            f"--serial {serial} names no unit without its model: the file tells none, so give --instrument"
        )
    return f"{model} {serial}"


def measured_apart(recording: Recording) -> bool:
    """Return whether each window is a measurement of its own, so that what lies between them counts nowhere."""
    return recording.instrument == _ENERGY_ALONE or recording.sync == "step"


def _sure(recording: Recording) -> tuple[Series, list[Window]]:
    if recording.series is None:
        raise ImportRefused("the recording holds energies alone, of which no capture can be made")
    doubts = recording.doubts or (None,) * len(recording.windows)
    windows = [one for one, doubt in zip(recording.windows, doubts, strict=True) if doubt is None]
    if not windows:
        raise ImportRefused(
            f"none of {len(recording.windows)} windows found in the power is sure; name a marker's line with "
            "--marker, or give "
            "one with --window"
        )
    return recording.series, windows


def _with_energy_alone(accuracy: StatedAccuracy, series: Series) -> StatedAccuracy:
    """Return it without a voltage's errors where energy alone was measured: the voltage cancels."""
    if series.charges_c is not None:
        return accuracy
    return replace(accuracy, voltage_gain=0.0, voltage_offset_v=0.0, voltage_source="energy alone was measured")


def _build(one: Cut, channels: Channels, recording: Recording, *, identity: str, name: str) -> _Built:
    series, _ = _sure(recording)
    current, step_a = trace_of(_part(channels.current_a, one), Unit.AMPERE)
    voltage, step_v, volts, swing = None, 0.0, channels.constant_v, 0.0
    if channels.voltage_v is not None:
        values_v = _part(channels.voltage_v, one)
        voltage, step_v = trace_of(values_v, Unit.VOLT)
        volts = float(voltage.values.mean())  # of the codes, so that what the channel adds has no mean
        swing = float(np.abs(values_v - volts).max()) / max(abs(volts), 1e-12)
    unexplained_w, unexplained_part = _unexplained(one, channels, current.values * volts)
    capture = Capture(
        time_base=TimeBase(
            origin_s=series.origin_s + (one.first - one.before + 0.5) * series.interval_s,
            interval_s=series.interval_s,
            sample_count=current.counts.size,
        ),
        current=current,
        marker_pod_counts=one.levels.astype(np.uint8),
        voltage=voltage,
        settings=_settings(recording, series, voltage),
        instruments={"recorder": identity},
        triggered_utc_ns=recording.recorded_utc_ns,
    )
    supply = SupplyConditions(
        idle_voltage_v=volts, loaded_voltage_v=volts, constant_voltage=True, tripped=False, output_on=True
    )
    return _Built(
        capture=MeasuredCapture(
            name=name, capture=capture, supply=supply, means=recording.means or series.samples_per_bin > 1
        ),
        # two steps over the shortest stretch, and all of one where the voltage moves against the rounding
        rounding_a=step_a * (2.0 / _shortest(one) + swing)
        + unexplained_w / max(abs(volts), 1e-12) / PROBABILITY,  # it may lie at its very end
        rounding_v=step_v,
        unexplained_part=unexplained_part,
    )


def _unexplained(one: Cut, channels: Channels, power_w: NDArray[np.float64]) -> tuple[float, float]:
    """Return the largest mean power, in watts, that current times voltage leave out, and the largest part of the power.

    Of each stretch that an energy is made of: what lies before the first window, each window, and all from the first to
    the last. In the mean of the whole cut a short window would vanish.
    """
    missed_w = np.abs(_part(channels.unexplained_w, one))
    if not missed_w.any():
        return 0.0, 0.0
    edges = np.flatnonzero(np.diff(one.levels.astype(np.int8), prepend=0, append=0))
    pairs = edges.reshape(-1, 2)
    spans = [(0, edges[0]), (edges[0], edges[-1]), *pairs]
    means_w = [float(missed_w[start:end].mean()) for start, end in spans if end > start]
    loads_w = [abs(float(power_w[start:end].mean())) for start, end in spans if end > start]
    parts = [missed / max(missed + load, 1e-300) for missed, load in zip(means_w, loads_w, strict=True)]
    return max(means_w), max(parts)


def _shortest(one: Cut) -> int:
    """Return the samples of the shortest stretch whose mean counts: a window, or what lies before the first."""
    before = int(np.argmax(one.levels))
    return max(1, min(one.shortest_pulse, before or one.shortest_pulse))


def _part(values: NDArray[np.float64], one: Cut) -> NDArray[np.float64]:
    return np.pad(values[one.first : one.last], (one.before, one.after), mode="edge")


def _settings(recording: Recording, series: Series, voltage: Trace | None) -> dict[str, str]:
    return {
        "format": recording.instrument,
        "sample rate of the file": f"{series.sample_rate_hz:g} Hz",
        "samples of the file in one": str(series.samples_per_bin),
        "voltage": "recorded" if voltage is not None else "constant",
    }


def images_of(recording: Recording) -> int | None:
    """Return the images in each sure window; None where nobody says.

    Raises:
        ImportRefused: windows hold different numbers, so that no energy per image follows from all of them together.
    """
    counts: Sequence[int | None] = [count for count in recording.images if count is not None]
    if len(set(counts)) > 1:
        raise ImportRefused(
            f"windows hold different numbers of images "
            f"({', '.join(map(str, sorted(set(filter(None, counts)))[:5]))}), and a "
            "run's windows must hold the same; give --images-per-window, or measure them one by one with --window"
        )
    return counts[0] if counts else None
