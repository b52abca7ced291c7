"""Pictures of fits: points and line above, residuals below, as PNG beside a certificate."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from calibration.procedures import delay, gain, lead
from metrology.edge_delay import EdgeDelay, EdgeProfile, step_response

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Fitted = gain.Fitted | delay.Fitted | lead.Fitted
"""What has a picture."""


def draw_fit(fitted: Fitted, path: Path) -> None:
    """Draw a fit into a PNG file; one without points (leads with remote sense) makes an empty picture of its text."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 6), layout="constrained")
    FigureCanvasAgg(figure)
    _DRAW[fitted.certificate.KIND](figure, fitted)
    figure.savefig(path, dpi=110)


def _draw_gain(figure: "Figure", fitted: gain.Fitted) -> None:
    certificate, fit = fitted.certificate, fitted.fit
    reference_a = np.array([one.reference_a for one in fitted.points])
    indicated_a = np.array([one.indicated_a for one in fitted.points])
    line, residual = figure.subplots(2, 1, sharex=True)
    line.plot(reference_a, indicated_a, "o", ms=4, label="records")
    ends_a = np.array([0.0, reference_a.max()])
    line.plot(ends_a, fit.zero_a + ends_a / fit.gain, lw=1, label="fit")
    line.set_title(
        f"{certificate.certificate_id}\ngain {certificate.gain.value:.5f} ± {certificate.gain.standard_uncertainty:.5f}"
        f", zero {1e3 * certificate.zero_a.value:.2f} ± {1e3 * certificate.zero_a.standard_uncertainty:.2f} mA (k = 1)",
        fontsize=10,
    )
    line.set_ylabel("indicated / A")
    line.legend()
    _draw_residuals(residual, reference_a, fit.line.residuals, certificate.residuals.p_value)
    residual.set_xlabel("current by the reference / A")


def _draw_lead(figure: "Figure", fitted: lead.Fitted) -> None:
    resistance_ohm = fitted.certificate.resistance_ohm
    title = (
        f"{fitted.certificate.certificate_id}\n{1e3 * resistance_ohm.value:.2f} ± "
        f"{1e3 * resistance_ohm.standard_uncertainty:.2f} mΩ (k = 1), {resistance_ohm.source}"
    )
    if fitted.line is None:
        figure.suptitle(title, fontsize=10)
        return
    current_a = np.array([one.current_a for one in fitted.points])
    drop_v = np.array([one.supply_v - one.board_v for one in fitted.points])
    line, residual = figure.subplots(2, 1, sharex=True)
    line.plot(current_a, 1e3 * drop_v, "o", ms=4)
    line.plot(current_a, 1e3 * (fitted.line.parameters[0] + fitted.line.parameters[1] * current_a), lw=1)
    line.set_title(title, fontsize=10)
    line.set_ylabel("drop over the leads / mV")
    _draw_residuals(residual, current_a, fitted.line.residuals, fitted.line.p_value)
    residual.set_xlabel("current / A")


def _draw_delay(figure: "Figure", fitted: delay.Fitted) -> None:
    panels: Sequence[Any] = figure.subplots(1, 2)
    pairs = ((fitted.rise, fitted.rise_fit, "rising"), (fitted.fall, fitted.fall_fit, "falling"))
    for axes, (profile, fit, name) in zip(panels, pairs, strict=True):
        _draw_edge(axes, profile, fit)
        axes.set_title(f"{name} marker edges: onset after {1e6 * fit.delay_s:+.1f} µs", fontsize=10)
    figure.suptitle(fitted.certificate.certificate_id, fontsize=10)


def _draw_edge(axes: Any, profile: EdgeProfile, fit: EdgeDelay) -> None:
    times_s = np.linspace(profile.times_s[0], profile.times_s[-1], 400)
    shape = step_response(times_s - fit.delay_s, settling_s=fit.settling_s, interval_s=profile.interval_s)
    before_a = float(profile.mean_a[: max(2, profile.mean_a.size // 5)].mean())
    axes.plot(1e6 * profile.times_s, profile.mean_a, "o", ms=3)
    axes.plot(1e6 * times_s, before_a + fit.step_a * shape, lw=1)
    axes.set_xlabel("time since the marker's edge / µs")
    axes.set_ylabel("indicated / A")


def _draw_residuals(axes: Any, places: NDArray[np.float64], residuals: NDArray[np.float64], p_value: float) -> None:
    axes.axhline(0.0, lw=0.8, color="0.5")
    axes.plot(places, residuals, "o", ms=4)
    axes.set_ylabel("residual / standard deviation")
    axes.set_title(f"p = {p_value:.2g}", fontsize=9)


# by kind, not by class: run as `python -m`, a procedure's classes are those of `__main__`
_DRAW: Mapping[str, Callable[["Figure", Any], None]] = {"gain": _draw_gain, "delay": _draw_delay, "lead": _draw_lead}
