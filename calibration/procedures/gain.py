"""Gain: probe, turns and channel together against known currents, from a ladder of 0.2 to 2 A climbed up and down.

The supply holds each current into a short through the turns of the jaw (constant current, so that it must not be in
constant voltage here), or a resistor sets it by the supply's voltage. The supply's read-back is the reference, or a
better ammeter in series whose readings are entered.
"""

import sys
import time
from argparse import Namespace
from dataclasses import dataclass

from calibration.bench_conditions import conditions_of
from calibration.bench_operator import Step, connect_board, connect_resistor, disconnect_board, short_supply
from calibration.chain_certificate import ChainCertificate, Residuals
from calibration.errors import ProcedureFailed
from calibration.ladder import current_ladder
from calibration.reference import READBACK_GAIN_LIMIT, Ammeter, Reference, SupplyReadBack
from calibration.script import parser, run_script
from calibration.workbench import Workbench
from instruments.supply_reading import SupplyMode, SupplyReading
from metrology.chain_fit import ChainFit, ChainPoint, fit_chain
from metrology.estimate import Estimate
from metrology.steady_level import steady_level

LEVELS = 6
"""Currents of the ladder, each taken on the way up and on the way down."""
SHORT_VOLTAGE_V = 1.0
"""Voltage that is set while the supply works into a short: enough for leads and clamps, and harmless."""
RESISTOR_HEADROOM = 1.3
"""Current limit over the ladder's highest current while a resistor sets the current."""
LEAST_P_VALUE = 1e-4
"""Points that lie this badly on their line are no calibration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A certificate with the points it was fitted to, for its picture."""

    certificate: ChainCertificate
    """The certificate."""
    points: tuple[ChainPoint, ...]
    """The points."""
    fit: ChainFit
    """The line."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What makes the currents, and what tells them."""

    reference: Reference
    offset_a: Estimate
    resistor_ohm: float | None


async def calibrate_gain(
    bench: Workbench,
    *,
    reference: Reference | None = None,
    resistor_ohm: float | None = None,
    levels: int = LEVELS,
) -> Fitted:
    """Calibrate gain and zero of the current chain.

    Args:
        bench: instruments and operator.
        reference: what tells the true current; None takes the supply's read-back.
        resistor_ohm: a resistor in place of the short, in ohms; None shorts the supply.
        levels: currents of the ladder.

    Raises:
        ProcedureFailed: something is still drawing with the board disconnected, the supply does not come to a current,
            samples are clipped, an instrument failed with the wiring changed, or the points do not lie on a line.
        InstrumentError: an instrument failed before or after that.
    """
    settings = bench.bench.settings
    ladder_a = current_ladder(settings, levels=levels)
    reference = reference or SupplyReadBack()
    bench.begin("gain", steps=len(ladder_a) + 1)
    await bench.bench.prepare()
    async with bench.rewired(disconnect_board(), back=connect_board()):
        await bench.bench.set_supply_output(True)
        await bench.settled_without_load()
        known = _Known(reference, await reference.offset_a(bench), resistor_ohm)
        bench.advance("offset of the reference")
        await bench.bench.set_supply_output(False, settle=False)
        await bench.perform(_load(resistor_ohm, settings.probe.turns))
        points = [await _point(bench, k, level_a, known) for k, level_a in enumerate(ladder_a)]
    fit = fit_chain(points)
    if fit.line.p_value < LEAST_P_VALUE:
        raise ProcedureFailed(bench.name, _crooked(points, fit))
    return Fitted(certificate=_certificate(bench, fit, known), points=tuple(points), fit=fit)


async def _point(bench: Workbench, number: int, level_a: float, known: _Known) -> ChainPoint:
    """Take one point: the reference before and after the record, so that a slow change counts by its mean."""
    await _drive(bench, level_a, known.resistor_ohm)
    before = await known.reference.read(bench)
    capture = await bench.capture(f"{number:02d}", level_a=level_a, reference_before_a=before.mean_a)
    after = await known.reference.read(bench)
    level = steady_level(capture.current)
    true_a = (before.mean_a + after.mean_a) / 2 - known.offset_a.value
    bench.advance(f"{true_a:z.4f} A by the reference, {level.mean:z.4f} A indicated")
    return ChainPoint(
        reference_a=true_a,
        reference_deviation_a=max(before.deviation_a, after.deviation_a),
        indicated_a=level.mean,
        indicated_deviation_a=level.deviation,
        at_s=time.monotonic(),
    )


async def _drive(bench: Workbench, level_a: float, resistor_ohm: float | None) -> None:
    """Set one current and wait until it flows; the output is switched on where it is not."""
    supply = bench.bench
    if resistor_ohm is None:
        await supply.set_supply(voltage_v=SHORT_VOLTAGE_V, current_a=level_a, settle=False)
        mode = SupplyMode.CC
    else:
        limit_a = min(RESISTOR_HEADROOM * level_a + 0.05, supply.settings.envelope.max_current_a)
        await supply.set_supply(voltage_v=level_a * resistor_ohm, current_a=limit_a, settle=False)
        mode = SupplyMode.CV
    await supply.set_supply_output(True, settle=False)
    # programming and read-back each within 0.2 % + 10 mA; a resistor and its leads within a tenth
    tolerance_a = 0.03 + (0.01 if resistor_ohm is None else 0.1) * level_a

    def fits(now: SupplyReading) -> bool:
        return now.mode is mode and abs(now.current_a - level_a) <= tolerance_a

    await bench.settled(fits, wanted=f"{level_a:g} A in {mode.value}")


def _load(resistor_ohm: float | None, turns: int) -> Step:
    return short_supply(turns) if resistor_ohm is None else connect_resistor(resistor_ohm, turns)


def _certificate(bench: Workbench, fit: ChainFit, known: _Known) -> ChainCertificate:
    line, reference, offset_a = fit.line, known.reference, known.offset_a
    source = f"line through {line.residuals.size} points"
    return ChainCertificate(
        **bench.header(),
        gain_random=Estimate(
            value=fit.gain,
            standard_uncertainty=fit.gain_deviation,
            degrees_of_freedom=line.degrees_of_freedom,
            source=source,
        ),
        gain_reference=Estimate.within(0.0, fit.gain * reference.gain_limit, source=reference.gain_source),
        zero_random_a=Estimate(
            value=fit.zero_a,
            standard_uncertainty=fit.zero_deviation_a,
            degrees_of_freedom=line.degrees_of_freedom,
            source=source,
        ),
        # an offset of the reference moves every point along the line, and so the zero by offset over gain
        zero_reference_a=Estimate(
            value=0.0,
            standard_uncertainty=offset_a.standard_uncertainty / fit.gain,
            degrees_of_freedom=offset_a.degrees_of_freedom,
            source=offset_a.source,
        ),
        covariance_a=fit.covariance_a,
        reference=reference.role,
        conditions=conditions_of(bench.bench.settings),
        residuals=Residuals(
            points=line.residuals.size,
            chi_squared=line.chi_squared,
            degrees_of_freedom=line.degrees_of_freedom,
            p_value=line.p_value,
        ),
    )


def _crooked(points: list[ChainPoint], fit: ChainFit) -> str:
    worst = int(abs(fit.line.residuals).argmax())
    return (
        f"the points do not lie on a line (chi-squared {fit.line.chi_squared:.1f} over {fit.line.degrees_of_freedom}, "
        f"p = {fit.line.p_value:.2g}); the worst is {points[worst].reference_a:.3f} A with "
        f"{fit.line.residuals[worst]:+.1f} standard deviations: look for a loose clamp or a probe near a magnet, "
        "and calibrate again"
    )


def main() -> int:
    """Calibrate gain and zero from a shell."""
    arguments = parser("Calibrate gain and zero of probe, turns and channel over a ladder of currents.", kind="gain")
    arguments.add_argument("--levels", type=int, default=LEVELS, help=f"currents of the ladder ({LEVELS})")
    arguments.add_argument("--resistor-ohm", type=float, help="a resistor in place of the short")
    arguments.add_argument("--readback-gain-limit", type=float, default=READBACK_GAIN_LIMIT, metavar="FRACTION",
        help=f"limit of the gain error of the supply's current read-back ({READBACK_GAIN_LIMIT:g})")  # fmt: skip
    arguments.add_argument("--ammeter", type=float, nargs=2, metavar=("FRACTION", "AMPERE"),
        help="limits of a better ammeter, whose readings you will enter")  # fmt: skip
    said = arguments.parse_args()
    if said.ammeter and said.unattended:
        arguments.error("--ammeter needs a person who reads it: leave out --unattended")

    async def work(bench: Workbench, said: Namespace) -> tuple[ChainCertificate, Fitted]:
        fitted = await calibrate_gain(
            bench, reference=_reference(said), resistor_ohm=said.resistor_ohm, levels=said.levels
        )
        return fitted.certificate, fitted

    return run_script(said, work)


def _reference(said: Namespace) -> Reference:
    if said.ammeter is None:
        return SupplyReadBack(gain_limit=said.readback_gain_limit)
    gain_limit, offset_limit_a = said.ammeter
    return Ammeter(gain_limit=gain_limit, offset_limit_a=offset_limit_a)


if __name__ == "__main__":
    sys.exit(main())
