"""Spectrum figure: the supply current inside the batches of all kept captures, by frequency."""

from collections import Counter

from daemon.captures import CaptureFiles
from daemon.report.figure import Curve, Level, ReportFigure
from daemon.report.loaded_current import LoadedCurrent
from daemon.report.material import Material
from daemon.report.number_text import percent
from metrology.errors import MetrologyError
from metrology.spectrum import FALSE_ALARM, Spectrum, averaged_spectrum, longest_segment

PAPER_HZ = 1400.0
"""The highest component of the supply current that the paper names, as recalled."""


def spectrum_figure(material: Material, files: CaptureFiles) -> ReportFigure:
    """Return the spectrum; where it cannot be computed the figure says why."""
    taken = [one for one in material.captures if one.has_current and one.interval_s]
    energies = sum(not one.has_current for one in material.captures)
    without = f" Captures of energies alone, without a current, are left out ({energies})." if energies else ""
    if not taken:
        return _missing(_why_none(material), without)
    interval_s, _ = Counter(one.interval_s for one in taken).most_common(1)[0]
    reading = LoadedCurrent([one.name for one in taken if one.interval_s == interval_s], files)
    try:
        segment = longest_segment(reading.lengths())
        spectrum = averaged_spectrum(reading.stretches(), interval_s=float(interval_s or 0), segment=segment)
    except MetrologyError as error:
        return _missing("; ".join((str(error), *reading.unread[:1])), without)
    return _base(_caption(spectrum, reading) + without, spectrum=spectrum)


def _missing(why: str, without: str) -> ReportFigure:
    return _base("", missing=f"not drawn: {why}{without and '.'}{without}")


def _why_none(material: Material) -> str:
    if material.captures:
        return "no kept capture of these runs holds a current"
    return material.provenance.unread[0] if material.provenance.unread else "no capture of these runs is kept"


def _caption(spectrum: Spectrum, reading: LoadedCurrent) -> str:
    rate_hz = 2 * spectrum.nyquist_hz
    where = "inside the batches" if reading.marked else "inside the batches, or all of a record without a marker,"
    parts = [_highest(spectrum, rate_hz), f"The paper names {PAPER_HZ:.0f} Hz, as recalled."]
    parts.append(
        f"{spectrum.segments} segments {where} of {reading.captures} captures averaged (Welch), bins of "
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
