"""Spectrum figure: the supply current of the first kept capture by frequency."""

from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from daemon.report.figure import Curve, ReportFigure
from daemon.report.material import Material
from metrology.capture import Capture
from metrology.errors import MetrologyError
from metrology.spectrum import welch_spectrum

PAPER_HZ = 1400.0
"""The highest component of the supply current that the paper names, as recalled."""


def spectrum_figure(material: Material, files: CaptureFiles) -> tuple[ReportFigure, Capture | None]:
    """Return the spectrum and the capture it is of; where none can be read the figure says why."""
    why = "not drawn: no capture of these runs is kept"
    for name in material.capture_names[:5]:
        try:
            capture = files.read(name)
            return _figure(capture, name), capture
        except (CaptureFileError, MetrologyError) as error:
            why = f"not drawn: {error}"
    return _base("", missing=why), None


def _figure(capture: Capture, name: str) -> ReportFigure:
    found = welch_spectrum(capture.current.values, interval_s=capture.time_base.interval_s)
    rate_hz, highest = 1 / capture.time_base.interval_s, found.highest_hz
    if highest is None:
        text = "No component stands out of the noise"
    else:
        covered = "covers it" if found.covered else "does NOT cover it with room above: sample faster"
        text = f"Highest significant component {highest:.0f} Hz; {rate_hz:.0f} samples a second {covered}"
    caption = f"{text}. The paper names {PAPER_HZ:.0f} Hz. Capture {name}, {found.segments} segments averaged (Welch)."
    x = tuple(map(float, found.frequency_hz[1:]))
    curves = (
        Curve(label="supply current", x=x, y=tuple(map(float, found.density[1:]))),
        Curve(label="noise floor", x=x, y=tuple(map(float, found.floor[1:]))),
    )
    return _base(caption, curves=curves)


def _base(caption: str, *, curves: tuple[Curve, ...] = (), missing: str | None = None) -> ReportFigure:
    return ReportFigure(
        key="spectrum", title="Spectrum of the supply current", caption=caption, x_label="frequency / Hz",
        y_label="density / A²/Hz", log="xy", curves=curves, missing=missing,
    )  # fmt: skip
