"""Delay: marker edge against current edge, for one board: latency of its marker and delay of the probe together."""

import sys
from argparse import Namespace
from dataclasses import dataclass

from calibration.bench_conditions import conditions_of
from calibration.bench_operator import run_batches
from calibration.delay_certificate import DelayCertificate
from calibration.errors import ProcedureFailed
from calibration.script import parser, run_script
from calibration.workbench import Workbench
from metrology.capture import Capture
from metrology.edge_delay import EdgeDelay, EdgeProfile, fit_edge, superpose
from metrology.errors import MetrologyError
from metrology.estimate import Estimate

CAPTURES = 4
"""Records that are superposed; the phase of sampling is a new one in each."""
REHEARSED_BATCH_S, REHEARSED_GAP_S = 6.0137e-3, 4.0091e-3
"""Batches that a simulated board makes: no whole number of sample intervals, so that the phase moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A certificate with the profiles it was fitted to, for its picture."""

    certificate: DelayCertificate
    """The certificate."""
    rise: EdgeProfile
    """Mean current about rising marker edges."""
    fall: EdgeProfile
    """The same about falling ones."""
    rise_fit: EdgeDelay
    """Onset and settling after rising edges."""
    fall_fit: EdgeDelay
    """The same after falling ones."""


async def measure_delay(bench: Workbench, *, board: str, captures: int = CAPTURES) -> Fitted:
    """Measure how long after the marker's edges the current's edges come.

    Args:
        bench: instruments and operator; the board is connected and the supply on.
        board: name of the board.
        captures: records to superpose.

    Raises:
        ProcedureFailed: edges are too few or too close, or the current does not step with the marker.
        InstrumentError: an instrument failed, or no marker edge came.
    """
    bench.begin("delay", steps=captures + 1)
    await bench.bench.prepare()
    step = run_batches(_rehearsed(bench.bench.settings.record_s * (1 - bench.bench.settings.pretrigger_fraction)))
    records: list[Capture] = []
    for number in range(captures):
        records.append(await bench.triggered_capture(f"{number}", step))
        bench.advance(f"record {number + 1} of {captures}")
    try:
        rise, fall = (superpose(records, rising=rising) for rising in (True, False))
        rise_fit, fall_fit = fit_edge(rise), fit_edge(fall)
    except MetrologyError as error:
        raise ProcedureFailed(bench.name, str(error)) from error
    bench.advance(f"{1e6 * rise_fit.delay_s:+.1f} µs on rising, {1e6 * fall_fit.delay_s:+.1f} µs on falling edges")
    certificate = DelayCertificate(
        **bench.header(),
        board=board,
        rise_delay_s=_delay(rise, rise_fit),
        fall_delay_s=_delay(fall, fall_fit),
        settling_s=Estimate(
            value=rise_fit.settling_s,
            standard_uncertainty=rise_fit.settling_deviation_s,
            degrees_of_freedom=rise_fit.fit.degrees_of_freedom,
            source=f"{rise.edges} superposed rising edges",
        ),
        conditions=conditions_of(bench.bench.settings),
    )
    return Fitted(certificate=certificate, rise=rise, fall=fall, rise_fit=rise_fit, fall_fit=fall_fit)


def _delay(profile: EdgeProfile, fit: EdgeDelay) -> Estimate:
    return Estimate(
        value=fit.delay_s,
        standard_uncertainty=fit.delay_deviation_s,
        degrees_of_freedom=fit.fit.degrees_of_freedom,
        source=f"{profile.edges} superposed edges of {profile.captures} records",
    )


def _rehearsed(available_s: float) -> tuple[tuple[float, float], ...]:
    """Return as many pulses as end before the record does, so that the marker is low for the next one."""
    period_s = REHEARSED_BATCH_S + REHEARSED_GAP_S
    return ((REHEARSED_BATCH_S, REHEARSED_GAP_S),) * max(1, int(0.9 * available_s / period_s))


def main() -> int:
    """Measure the delay from a shell."""
    arguments = parser(
        "Measure how long after the marker's edge the current's edge comes, for one board.", kind="delay"
    )
    arguments.add_argument("--board", required=True, help="name of the board")

    async def work(bench: Workbench, said: Namespace) -> tuple[DelayCertificate, Fitted]:
        fitted = await measure_delay(bench, board=said.board)
        return fitted.certificate, fitted

    return run_script(arguments.parse_args(), work)


if __name__ == "__main__":
    sys.exit(main())
