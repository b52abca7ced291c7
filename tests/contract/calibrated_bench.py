"""A simulated bench for procedures: fast, its instruments wrong within their data sheets, and the truth beside it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from calibration.bench_operator import Operator
from calibration.certificate import CaptureUse
from calibration.workbench import SUPPLY_OFFSET_LIMIT_A, Workbench
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from instruments.simulated.addresses import BenchAddresses
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.error_draw import InstrumentErrors
from instruments.simulated.rehearsal import Rehearsal
from instruments.simulated.truth import TruthClient
from instruments.simulated.world import WorldSettings
from instruments.supply_envelope import SupplyEnvelope
from metrology.capture import Capture

TIME_SCALE = 50.0


@dataclass
class Kept:
    """Raw captures that a procedure asked to keep."""

    captures: dict[str, Capture] = field(default_factory=dict)

    def __call__(self, capture_id: str, capture: Capture, facts: Mapping[str, Any]) -> CaptureUse:
        assert capture_id not in self.captures
        self.captures[capture_id] = capture
        return CaptureUse(capture_id=capture_id, sha256=sha256(capture.current.counts.tobytes()).hexdigest())


@dataclass
class CalibratedBench:
    """A workbench and what is really the case."""

    workbench: Workbench
    truth: TruthClient
    kept: Kept
    told: list[tuple[str, int, int]]

    @property
    def errors(self) -> dict[str, Any]:
        return dict(self.truth.errors()["errors"])

    @property
    def circuit(self) -> dict[str, float]:
        return dict(self.truth.errors()["circuit"])


def settings_of(addresses: BenchAddresses, **changes: Any) -> BenchSettings:
    named: dict[str, Any] = {
        "oscilloscope_resource": addresses.oscilloscope,
        "power_supply_resource": addresses.power_supply,
        "gpib_adapter_resource": addresses.gpib_adapter,
        "envelope": SupplyEnvelope(max_voltage_v=20.0, max_current_a=2.2),
        "current_offset_a": 0.6,
        "timeout_s": 2.0,
    }
    return BenchSettings(**(named | changes))


@asynccontextmanager
async def calibrated_bench(
    *,
    seed: int = 11,
    settings: Any = lambda one: one,
    operator: Operator | None = None,
    errors: InstrumentErrors = InstrumentErrors.DATASHEET,
    world: Mapping[str, Any] | None = None,
    offset_limit_a: float = SUPPLY_OFFSET_LIMIT_A,
    **changes: Any,
) -> AsyncIterator[CalibratedBench]:
    """Serve a simulated bench and open the drivers on it; `settings` changes what the drivers are told."""
    made = WorldSettings(seed=seed, time_scale=TIME_SCALE, errors=errors, **(world or {}))
    with SimulatedBenchThread(made) as simulated, TruthClient(simulated.addresses.truth) as truth:
        async with Bench(settings(settings_of(simulated.addresses, **changes))) as bench:
            kept, told = Kept(), []
            workbench = Workbench(
                bench,
                operator or Rehearsal(truth),
                keep=kept,
                progress=lambda *one: told.append(one),
                settle_s=0.2 / TIME_SCALE,
                supply_offset_limit_a=offset_limit_a,
            )
            yield CalibratedBench(workbench, truth, kept, told)
