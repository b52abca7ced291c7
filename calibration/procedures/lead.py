"""Lead: resistance of both leads between the supply's terminals and the board.

The ends of the leads are connected to each other at the board's side, and the voltage probe is clipped there. While
the supply holds a ladder of currents, the slope of its voltage read-back less the probe's voltage is the resistance:
offsets of both drop out of a slope, and the channel's gain error acts only on the small voltage left over the short.
"""

import math
import sys
from argparse import Namespace
from dataclasses import dataclass, replace

import numpy as np

from calibration.bench_operator import connect_board, disconnect_board, probe_voltage_at_board, short_supply
from calibration.errors import ProcedureFailed
from calibration.ladder import HIGHEST_A, LOWEST_A
from calibration.lead_certificate import LeadCertificate
from calibration.procedures.gain import LEAST_P_VALUE, SHORT_VOLTAGE_V
from calibration.script import parser, run_script
from calibration.workbench import Workbench
from instruments.bench_settings import BenchSettings, VoltageChannel
from instruments.supply_reading import SupplyMode, SupplyReading
from metrology.estimate import Estimate
from metrology.linear_fit import LinearFit, fit_linear
from metrology.steady_level import steady_level

LEVELS = 6
"""Currents of the ladder."""
VOLTAGE_STEP_V = 1e-3
"""Last digit that the supply's voltage read-back is taken to have."""
FINE_SCALE_V_PER_DIV = 0.05
"""Sensitivity at the voltage probe's tip: the voltage over a short is some ten millivolts."""
READINGS = 4
"""Read-backs of the supply before each record, and as many after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the gain errors that act on the slope, as fractions."""

    channel_gain: float = 0.03
    """Of the voltage channel."""
    voltage_gain: float = 0.0005
    """Of the supply's voltage read-back."""
    current_gain: float = 0.0015
    """Of the supply's current read-back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadPoint:
    """One current, and the voltages at both ends of the leads."""

    current_a: float
    """The supply's current read-back, in amperes."""
    supply_v: float
    """The supply's voltage read-back, in volts."""
    supply_deviation_v: float
    """Standard deviation of that, in volts."""
    board_v: float
    """Voltage at the board's end by the channel, in volts."""
    board_deviation_v: float
    """Standard deviation of that, in volts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A certificate with the points it was fitted to, for its picture."""

    certificate: LeadCertificate
    """The certificate."""
    points: tuple[LeadPoint, ...]
    """The points; none with remote sense."""
    line: LinearFit | None
    """Voltage difference = offset + resistance · current; None with remote sense."""


def lead_settings(settings: BenchSettings, *, channel: int | None = None) -> BenchSettings:
    """Return a bench's settings with a voltage channel fine enough for a short; open the bench of `measure_lead` so.

    Args:
        settings: the bench as it is for runs.
        channel: channel of the voltage probe; None takes the one wired for runs, else the next after the current's.
    """
    wired = settings.voltage
    number = channel or (wired.number if wired else settings.current_channel % 4 + 1)
    ratio = wired.probe_ratio if wired else VoltageChannel().probe_ratio
    fine = VoltageChannel(number=number, scale_v_per_div=FINE_SCALE_V_PER_DIV, offset_v=0.0, probe_ratio=ratio)
    return replace(settings, voltage=fine)


async def measure_lead(
    bench: Workbench, *, remote_sense: bool = False, limits: Limits | None = None, levels: int = LEVELS
) -> Fitted:
    """Measure the resistance of the leads.

    Args:
        bench: instruments and operator, its settings made by `lead_settings`.
        remote_sense: the supply senses at the board: the resistance is zero by definition, and nothing is measured.
        limits: gain errors that act on the slope; None takes the data sheets'.
        levels: currents of the ladder.

    Raises:
        ProcedureFailed: the supply does not come to a current, samples are clipped, an instrument failed with the
            wiring changed, or the points do not lie on a line.
        InstrumentError: an instrument failed before or after that.
    """
    highest_a = min(HIGHEST_A, bench.bench.settings.envelope.max_current_a)
    ladder_a = [round(float(level), 3) for level in np.linspace(LOWEST_A, highest_a, levels)]
    bench.begin("lead", steps=len(ladder_a))
    if remote_sense:
        exact = Estimate(value=0.0, standard_uncertainty=0.0, source="remote sense")
        certificate = LeadCertificate(**bench.header(), resistance_ohm=exact, remote_sense=True)
        return Fitted(certificate=certificate, points=(), line=None)
    await bench.bench.prepare()
    turns = bench.bench.settings.probe.turns
    steps = (disconnect_board(), short_supply(turns), probe_voltage_at_board())
    async with bench.rewired(*steps, back=connect_board()):
        points = [await _point(bench, k, level_a) for k, level_a in enumerate(ladder_a)]
    line = _line(points)
    if line.p_value < LEAST_P_VALUE:
        text = f"the voltages do not lie on a line (p = {line.p_value:.2g}): look for a loose clamp, and measure again"
        raise ProcedureFailed(bench.name, text)
    resistance_ohm = _resistance(points, line, limits or Limits())
    certificate = LeadCertificate(**bench.header(), resistance_ohm=resistance_ohm, remote_sense=False)
    return Fitted(certificate=certificate, points=tuple(points), line=line)


async def _point(bench: Workbench, number: int, level_a: float) -> LeadPoint:
    def fits(now: SupplyReading) -> bool:
        return now.mode is SupplyMode.CC and abs(now.current_a - level_a) <= 0.03 + 0.01 * level_a

    await bench.bench.set_supply(voltage_v=SHORT_VOLTAGE_V, current_a=level_a, settle=False)
    await bench.bench.set_supply_output(True, settle=False)
    await bench.settled(fits, wanted=f"{level_a:g} A in cc")
    readings = await bench.readings(READINGS)
    capture = await bench.capture(f"{number:02d}", level_a=level_a)
    readings += await bench.readings(READINGS)
    if capture.voltage is None:
        raise ProcedureFailed(bench.name, "the record holds no voltage channel: open the bench with `lead_settings`")
    board = steady_level(capture.voltage)
    voltages_v = np.array([one.voltage_v for one in readings])
    scatter_v = float(voltages_v.std(ddof=1)) / math.sqrt(voltages_v.size)
    point = LeadPoint(
        current_a=float(np.mean([one.current_a for one in readings])),
        supply_v=float(voltages_v.mean()),
        supply_deviation_v=math.hypot(scatter_v, VOLTAGE_STEP_V / math.sqrt(12)),
        board_v=board.mean,
        board_deviation_v=board.deviation,
    )
    bench.advance(f"{point.current_a:z.4f} A: {1e3 * (point.supply_v - point.board_v):z.2f} mV over the leads")
    return point


def _line(points: list[LeadPoint]) -> LinearFit:
    current_a = np.array([one.current_a for one in points])
    difference_v = np.array([one.supply_v - one.board_v for one in points])
    deviation_v = np.array([math.hypot(one.supply_deviation_v, one.board_deviation_v) for one in points])
    return fit_linear(np.column_stack([np.ones_like(current_a), current_a]), difference_v, deviation_v)


def _resistance(points: list[LeadPoint], line: LinearFit, limits: Limits) -> Estimate:
    """Return the slope with its own uncertainty and the three gains', nuisances within their limits."""
    current_a = np.array([one.current_a for one in points])
    at_board_ohm = float(np.polyfit(current_a, [one.board_v for one in points], 1)[0])
    slope_ohm = float(line.parameters[1])
    parts_ohm = (
        limits.channel_gain * at_board_ohm,
        limits.voltage_gain * (slope_ohm + at_board_ohm),
        limits.current_gain * slope_ohm,
    )
    gains_ohm = math.sqrt(sum(part**2 for part in parts_ohm) / 3)
    deviation_ohm = math.hypot(line.deviation(1), gains_ohm)
    return Estimate(
        value=slope_ohm,
        standard_uncertainty=deviation_ohm,
        degrees_of_freedom=line.degrees_of_freedom * (deviation_ohm / line.deviation(1)) ** 4,
        source=f"slope of voltage difference on current, {len(points)} points",
    )


def main() -> int:
    """Measure the leads from a shell."""
    arguments = parser("Measure the resistance of the leads between supply and board.", kind="lead")
    arguments.add_argument("--voltage-channel", type=int, help="channel of the voltage probe at the board's end")
    arguments.add_argument("--remote-sense", action="store_true", help="the supply senses at the board")
    usual = Limits()
    for name, whose in (
        ("channel_gain", "voltage channel's"),
        ("voltage_gain", "supply's voltage read-back's"),
        ("current_gain", "supply's current read-back's"),
    ):
        limit = getattr(usual, name)
        option = f"--{name.replace('_', '-')}-limit"
        text = f"limit of the {whose} gain error ({limit:g})"
        arguments.add_argument(option, dest=name, type=float, default=limit, metavar="FRACTION", help=text)
    said = arguments.parse_args()
    return run_script(said, _work, change=lambda settings: lead_settings(settings, channel=said.voltage_channel))


async def _work(bench: Workbench, said: Namespace) -> tuple[LeadCertificate, Fitted]:
    limits = Limits(channel_gain=said.channel_gain, voltage_gain=said.voltage_gain, current_gain=said.current_gain)
    fitted = await measure_lead(bench, remote_sense=said.remote_sense, limits=limits)
    return fitted.certificate, fitted


if __name__ == "__main__":
    sys.exit(main())
