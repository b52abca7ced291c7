"""Spectrum figure: the supply current inside the batches of all kept captures, by frequency."""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from daemon.report.figure import Curve, Level, ReportFigure
from daemon.report.material import Material
from daemon.report.number_text import percent
from metrology.capture import Capture
from metrology.errors import MetrologyError
from metrology.spectrum import FALSE_ALARM, Spectrum, averaged_spectrum, longest_segment

PAPER_HZ = 1400.0
"""The highest component of the supply current that the paper names, as recalled."""
SETTLING_S = 2e-3
"""Left out after each edge of the marker: the step itself is no component of the loaded current."""

Stretch = NDArray[np.float64]


def spectrum_figure(material: Material, files: CaptureFiles) -> ReportFigure:
    """Return the spectrum; where it cannot be computed the figure says why."""
    found, unread = _stretches(material.capture_names, files)
    if not found:
        why = unread[0] if unread else "no capture of these runs is kept"
        return _base("", missing=f"not drawn: {why}")
    intervals = Counter(interval_s for interval_s, _, _ in found)
    interval_s, captures = intervals.most_common(1)[0]
    stretches = [one for at, parts, _ in found if at == interval_s for one in parts]
    try:
        segment = longest_segment([one.size for one in stretches])
        spectrum = averaged_spectrum(stretches, interval_s=interval_s, segment=segment)
    except MetrologyError as error:
        return _base("", missing=f"not drawn: {error}")
    loaded = all(marked for at, _, marked in found if at == interval_s)
    return _base(_caption(spectrum, captures, loaded=loaded), spectrum=spectrum)


def _stretches(
    names: Sequence[str], files: CaptureFiles
) -> tuple[list[tuple[float, tuple[Stretch, ...], bool]], list[str]]:
    """Return sampling interval, loaded stretches, and whether a marker told them, of each capture."""
    found, unread = [], []
    for name in names:
        try:
            capture = files.read(name)
            found.append((capture.time_base.interval_s, tuple(_loaded(capture)), capture.marker_pod_counts is not None))
        except (CaptureFileError, MetrologyError) as error:
            unread.append(str(error))
    return found, unread


def _loaded(capture: Capture) -> Iterator[Stretch]:
    """Yield the current inside each batch as 4-byte floats, or all of it where no marker was recorded."""
    base, levels, current_a = capture.time_base, capture.marker_levels(), capture.current.values
    if levels is None:
        yield current_a.astype(np.float32)
        return
    edges = np.flatnonzero(np.diff(levels.astype(np.int8), prepend=0, append=0))
    settling = round(SETTLING_S / base.interval_s)
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start > settling + 256:
            yield current_a[start + settling : end].astype(np.float32)


def _caption(spectrum: Spectrum, captures: int, *, loaded: bool) -> str:
    rate_hz = 2 * spectrum.nyquist_hz
    where = "inside the batches" if loaded else "inside the batches, or all of a record without a marker,"
    parts = [_highest(spectrum, rate_hz), f"The paper names {PAPER_HZ:.0f} Hz, as recalled."]
    parts.append(
        f"{spectrum.segments} segments {where} of {captures} captures averaged (Welch), bins of "
        f"{spectrum.frequency_hz[1]:.3g} Hz; significant: above the floor by more than noise alone is in "
        f"{percent(FALSE_ALARM)} of spectra; below {spectrum.lowest_tested_hz:.0f} Hz nothing is tested."
    )
    parts.append(
        f"A component above {spectrum.nyquist_hz:.0f} Hz would show folded back, at the sample rate less its "
        "frequency: no filter before the converter keeps it out, and one record cannot tell the two apart. A second "
        "one at another rate can."
    )
    return " ".join(parts)


def _highest(spectrum: Spectrum, rate_hz: float) -> str:
    highest_hz, strongest_hz = spectrum.highest_hz, spectrum.strongest_hz
    if highest_hz is None or strongest_hz is None:
        return "No component stands out of the noise."
    covered = (
        "cover it, with as much room again above it"
        if spectrum.covered
        else "hold it, but leave too little room above it to know of more: sample faster"
    )
    return (
        f"Highest significant component {_line(spectrum, highest_hz)}, the strongest {_line(spectrum, strongest_hz)}; "
        f"{rate_hz:.0f} samples a second {covered}. A weak one may be the oscilloscope's own, of its converter or its "
        "clock: a record without a board tells."
    )


def _line(spectrum: Spectrum, frequency_hz: float) -> str:
    return f"{frequency_hz:.0f} Hz ({1e3 * spectrum.rms_at(frequency_hz):.2g} mA rms)"


def _base(caption: str, *, spectrum: Spectrum | None = None, missing: str | None = None) -> ReportFigure:
    curves: tuple[Curve, ...] = ()
    if spectrum is not None:
        x = tuple(map(float, spectrum.frequency_hz[1:]))
        curves = (
            Curve(label="supply current", x=x, y=tuple(map(float, spectrum.density[1:]))),
            Curve(label="noise floor", x=x, y=tuple(map(float, spectrum.floor[1:]))),
        )
    return ReportFigure(
        key="spectrum", title="Spectrum of the supply current", caption=caption, x_label="frequency / Hz",
        y_label="density / A²/Hz", log="xy", curves=curves, missing=missing,
        levels=(Level(x=PAPER_HZ, label="the paper's 1.4 kHz"),) if curves else (),
    )  # fmt: skip
