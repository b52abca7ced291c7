"""Zero: what probe, channel and supply say while no current flows.

Made before and after a campaign, two of them are its bracket: what the zero did in between lies between them, give or
take. With the board disconnected the supply's read-back offset is measured too; with the jaw opened instead the board
may go on drawing, and only probe and channel are measured.
"""

import math
import sys
from argparse import Namespace
from typing import Any

import numpy as np

from calibration.bench_conditions import conditions_of
from calibration.bench_operator import close_jaw, connect_board, disconnect_board, open_jaw
from calibration.errors import BadCertificate, ProcedureFailed
from calibration.script import parser, run_script
from calibration.store import CertificateStore
from calibration.workbench import Workbench
from calibration.zero_certificate import ZeroCertificate
from metrology.estimate import Estimate
from metrology.steady_level import SteadyLevel, steady_level

CAPTURES = 3
"""Records that are averaged."""


async def measure_zero(
    bench: Workbench,
    *,
    jaw_open: bool = False,
    opened_by: ZeroCertificate | None = None,
    captures: int = CAPTURES,
    within_a: tuple[float, float] | None = None,
) -> ZeroCertificate:
    """Measure the zero of the current chain, and the supply's read-back offset.

    Args:
        bench: instruments and operator.
        jaw_open: take the lead out of the jaw instead of disconnecting the board.
        opened_by: the certificate whose bracket this one closes; None opens one.
        captures: records to average.
        within_a: between which currents the zero of probe and channel lies by their declared limits, in amperes; with
            the jaw open nothing else tells whether the lead is out of it. None: nobody says.

    Raises:
        ProcedureFailed: something is still drawing, the jaw seems to hold the lead still, the zero lies off the screen,
            or the certificate to close is for other settings.
        InstrumentError: an instrument failed.
    """
    bench.begin("zero", steps=captures + 2)
    _refuse_other_settings(bench, opened_by)
    await bench.bench.prepare()
    offset_a: Estimate | None = None
    if jaw_open:
        await bench.perform(open_jaw())
        levels = await _levels(bench, captures)
        await bench.perform(close_jaw())
    else:
        async with bench.rewired(disconnect_board(), back=connect_board()):
            await bench.bench.set_supply_output(True)
            offset_a = await bench.settled_without_load()
            bench.advance("supply's read-back offset")
            levels = await _levels(bench, captures)
    zero_a = _mean(levels)
    if jaw_open and within_a is not None:
        _refuse_current_in_jaw(bench, zero_a, within_a)
    bench.advance("zero of probe and channel")
    return ZeroCertificate(
        **bench.header(),
        **_bracket(zero_a, opened_by),
        zero_a=zero_a,
        noise_a_rms=math.sqrt(sum(one.sample_deviation**2 for one in levels) / len(levels)),
        supply_offset_a=offset_a,
        conditions=conditions_of(bench.bench.settings),
    )


async def _levels(bench: Workbench, captures: int) -> list[SteadyLevel]:
    found = []
    for number in range(captures):
        capture = await bench.capture(f"{number}")
        found.append(steady_level(capture.current))
        bench.advance(f"record {number + 1} of {captures}: {found[-1].mean:z.5f} A indicated")
    return found


def _mean(levels: list[SteadyLevel]) -> Estimate:
    """Return the mean over the records; where they scatter more than each alone tells, by their scatter."""
    means = np.array([one.mean for one in levels])
    inside = math.sqrt(sum(one.deviation**2 for one in levels)) / len(levels)
    between = float(means.std(ddof=1)) / math.sqrt(len(levels)) if len(levels) > 1 else 0.0
    return Estimate(
        value=float(means.mean()),
        standard_uncertainty=max(inside, between),
        degrees_of_freedom=sum(one.degrees_of_freedom for one in levels) if inside >= between else len(levels) - 1,
        source=f"{len(levels)} records with no current",
    )


def _bracket(zero_a: Estimate, opened_by: ZeroCertificate | None) -> dict[str, Any]:
    if opened_by is None:
        return {}
    before = opened_by.zero_a
    drift_a = Estimate(
        value=zero_a.value - before.value,
        standard_uncertainty=math.hypot(zero_a.standard_uncertainty, before.standard_uncertainty),
        degrees_of_freedom=min(zero_a.degrees_of_freedom, before.degrees_of_freedom),
        source=f"zero of {opened_by.certificate_id} to this one",
    )
    return {"opened_by": opened_by.certificate_id, "bracket_drift_a": drift_a}


def _refuse_other_settings(bench: Workbench, opened_by: ZeroCertificate | None) -> None:
    if opened_by is None:
        return
    differing = opened_by.conditions.differences(conditions_of(bench.bench.settings))
    if differing:
        text = f"certificate {opened_by.certificate_id} cannot be closed with other settings: {'; '.join(differing)}"
        raise ProcedureFailed(bench.name, text)


def _refuse_current_in_jaw(bench: Workbench, zero_a: Estimate, within_a: tuple[float, float]) -> None:
    low_a, high_a = within_a
    if not low_a <= zero_a.value <= high_a:
        text = (
            f"{zero_a.value:.4f} A is indicated with the jaw open, where the declared zero limits of probe and channel "
            f"allow {low_a:.4f} to {high_a:.4f} A: take the lead out of the jaw, or zero the probe, and calibrate again"
        )
        raise ProcedureFailed(bench.name, text)


def main() -> int:
    """Measure the zero from a shell."""
    arguments = parser("Measure the zero of probe and channel, and the supply's read-back offset.", kind="zero")
    arguments.add_argument("--jaw-open", action="store_true", help="open the jaw instead of disconnecting the board")
    arguments.add_argument(
        "--closes", metavar="ID", help="zero certificate of the folder whose bracket this one closes"
    )
    return run_script(arguments.parse_args(), _work)


async def _work(bench: Workbench, said: Namespace) -> tuple[ZeroCertificate, None]:
    opened_by = None if said.closes is None else zero_to_close(CertificateStore(said.folder), said.closes)
    return await measure_zero(bench, jaw_open=said.jaw_open, opened_by=opened_by), None


def zero_to_close(store: CertificateStore, certificate_id: str) -> ZeroCertificate:
    """Return the stored zero whose bracket is to be closed.

    Raises:
        BadCertificate: the certificate is of another kind.
        CertificateFileError: there is none of this name, or its file was changed or damaged.
    """
    found = store.read(certificate_id)
    if not isinstance(found, ZeroCertificate):
        raise BadCertificate(f"--closes {certificate_id}: is a certificate of kind {found.KIND}, not zero")
    return found


if __name__ == "__main__":
    sys.exit(main())
