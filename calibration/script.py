"""Script: runs one procedure from a shell without the daemon's configuration, on instruments named by arguments.

`joulebench calibrate` is the comfortable way. This one needs nothing but the instruments: raw records, certificate and
picture go into one folder. It knows of no daemon: see that none runs.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from calibration.bench_operator import Operator, Step
from calibration.certificate import CaptureUse, Certificate
from calibration.document import certificate_to_text
from calibration.errors import NobodyAnswers
from calibration.said import particulars_from
from calibration.store import CertificateStore
from calibration.validity import VALIDITY_DAYS
from calibration.workbench import SUPPLY_OFFSET_LIMIT_A, Workbench
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from instruments.current_probe import CurrentProbe
from instruments.simulated.rehearsal import Rehearsal
from instruments.simulated.truth import TruthClient
from instruments.supply_envelope import SupplyEnvelope
from metrology.capture import Capture
from metrology.errors import JoulebenchError

if TYPE_CHECKING:
    from calibration.pictures import Fitted

Work = Callable[[Workbench, argparse.Namespace], Awaitable["tuple[Certificate, Fitted | None]"]]
"""A procedure, with what the shell said; it returns its certificate, and the fit where there is one to be drawn."""


class Terminal:
    """An operator who reads standard error and presses Enter."""

    def perform(self, step: Step) -> None:
        """Show a step and wait for Enter.

        Raises:
            NobodyAnswers: standard input is closed.
        """
        sys.stderr.write(f"\n{step.text}\n")
        _answer("Press Enter when it is done")

    def read_number(self, question: str) -> float:
        """Ask for a number until one is given.

        Raises:
            NobodyAnswers: standard input is closed.
        """
        while True:
            answer = _answer(question)
            try:
                return float(answer)
            except ValueError:
                sys.stderr.write(f"a number is wanted, such as 0.512, got {answer!r}\n")


def _answer(question: str) -> str:
    sys.stderr.write(f"{question}: ")
    sys.stderr.flush()
    answer = sys.stdin.readline()
    if not answer:
        sys.stderr.write("\n")
        raise NobodyAnswers(question)
    return answer.strip()


class RawRecords:
    """A folder of raw records as numpy archives."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def keep(self, capture_id: str, capture: Capture, facts: Mapping[str, Any]) -> CaptureUse:
        """Write a record: codes of every trace, and all else as JSON text."""
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / f"{capture_id}.npz"
        traces = {"current": capture.current, "voltage": capture.voltage}
        present = {name: trace for name, trace in traces.items() if trace is not None}
        scales = {name: asdict(trace.scale) for name, trace in present.items()}
        described = {
            "time_base": asdict(capture.time_base),
            "scales": scales,
            "settings": dict(capture.settings),
            "instruments": dict(capture.instruments),
            "facts": dict(facts),
        }
        arrays: dict[str, Any] = {f"{name}_counts": trace.counts for name, trace in present.items()}
        if capture.marker_pod_counts is not None:
            arrays["marker_pod_counts"] = capture.marker_pod_counts
        np.savez_compressed(path, description=np.array(json.dumps(described)), **arrays)
        return CaptureUse(capture_id=capture_id, sha256=sha256(path.read_bytes()).hexdigest())


def parser(description: str, *, kind: str) -> argparse.ArgumentParser:
    """Return a parser with the arguments that every procedure takes; the kind says how long its certificates hold."""
    days = VALIDITY_DAYS[kind]
    made = argparse.ArgumentParser(description=description)
    add = made.add_argument
    add("--oscilloscope", required=True, metavar="RESOURCE", help="VISA resource name of the oscilloscope")
    add("--power-supply", required=True, metavar="RESOURCE", help="VISA resource name of the supply")
    add("--gpib-adapter", metavar="RESOURCE", help="VISA resource name of a Prologix-style adapter before the supply")
    add("--folder", required=True, type=Path, help="where certificate, picture and raw records go")
    add("--max-voltage-v", type=float, default=20.0, help="highest voltage that may be set (20)")
    add("--max-current-a", type=float, default=2.2, help="highest current limit that may be set (2.2)")
    add("--readback-limit-a", type=float, default=SUPPLY_OFFSET_LIMIT_A, metavar="AMPERE",
        help=f"largest offset of the supply's current read-back ({SUPPLY_OFFSET_LIMIT_A:g})")  # fmt: skip
    add("--channel", type=int, default=1, help="oscilloscope channel of the current probe (1)")
    add("--scale-a-per-div", type=float, default=0.2, help="ampere a division (0.2)")
    add("--offset-a", type=float, default=0.6, help="ampere at the centre of the screen (0.6)")
    add("--range-v-per-a", type=float, default=0.1, help="the probe's switch: 0.1 or 0.01 V/A (0.1)")
    add("--turns", type=int, default=1, help="turns through the jaw (1)")
    add("--marker-bit", type=int, default=0, help="digital line of the marker (0)")
    add("--say", action="append", default=[], metavar="KEY=VALUE",
        help="what the certificate is to say, again and again: made_by, note, serial.probe (or another role), and "
        "anything of the room, such as temperature_c=23")  # fmt: skip
    add("--validity-days", type=float, default=days, help=f"how long the certificate holds ({days:g})")
    add("--unattended", metavar="tcp://HOST:PORT", help="side channel of a simulated bench, which rewires itself")
    return made


def run_script(
    arguments: argparse.Namespace,
    work: Work,
    *,
    change: Callable[[BenchSettings], BenchSettings] = lambda settings: settings,
) -> int:
    """Run a procedure, store its certificate and the picture of its fit, and write the certificate to standard output.

    Returns:
        The exit status.
    """
    try:
        settings = change(_settings(arguments))
        certificate, fitted = _performed(arguments, settings, work)
        path = CertificateStore(arguments.folder).add(certificate)
    except JoulebenchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"written: {path}\n")
    if fitted is not None:
        _draw(fitted, path.with_suffix(".png"))
    sys.stdout.write(certificate_to_text(certificate))
    return 0


def _draw(fitted: "Fitted", path: Path) -> None:
    from calibration.pictures import draw_fit

    draw_fit(fitted, path)
    sys.stderr.write(f"written: {path}\n")


def _performed(
    arguments: argparse.Namespace, settings: BenchSettings, work: Work
) -> "tuple[Certificate, Fitted | None]":
    if arguments.unattended is None:
        return asyncio.run(_on_bench(arguments, settings, Terminal(), work))
    with closing(TruthClient(arguments.unattended)) as truth:
        return asyncio.run(_on_bench(arguments, settings, Rehearsal(truth), work))


async def _on_bench(
    arguments: argparse.Namespace, settings: BenchSettings, operator: Operator, work: Work
) -> "tuple[Certificate, Fitted | None]":
    made_by = "not said" if arguments.unattended is None else "unattended"
    particulars = particulars_from(arguments.say, made_by=made_by, validity_days=arguments.validity_days)
    async with Bench(settings) as bench:
        workbench = Workbench(
            bench,
            operator,
            keep=RawRecords(arguments.folder / "records").keep,
            particulars=particulars,
            progress=_progress,
            supply_offset_limit_a=arguments.readback_limit_a,
        )
        return await work(workbench, arguments)


def _progress(text: str, done: int, total: int) -> None:
    sys.stderr.write(f"[{done:>2}/{total}] {text}\n")


def _settings(arguments: argparse.Namespace) -> BenchSettings:
    return BenchSettings(
        oscilloscope_resource=arguments.oscilloscope,
        power_supply_resource=arguments.power_supply,
        gpib_adapter_resource=arguments.gpib_adapter,
        envelope=SupplyEnvelope(max_voltage_v=arguments.max_voltage_v, max_current_a=arguments.max_current_a),
        probe=CurrentProbe(range_v_per_a=arguments.range_v_per_a, turns=arguments.turns),
        current_channel=arguments.channel,
        current_scale_a_per_div=arguments.scale_a_per_div,
        current_offset_a=arguments.offset_a,
        marker_bit=arguments.marker_bit,
        audit_directory=arguments.folder / "audit",
    )
