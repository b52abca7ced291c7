"""Calibration desk: runs a procedure on the bench that a configuration describes, and files what comes of it."""

import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from calibration.bench_operator import Operator
from calibration.certificate import CaptureUse, Certificate
from calibration.store import CertificateStore
from calibration.workbench import Particulars, Progress, Workbench
from daemon.accuracy import declared_influences
from daemon.bench_configuration import circumstances
from daemon.bench_lock import BenchLock
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.errors import DryRunRefusal
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings
from metrology.capture import Capture

R = TypeVar("R")


class CalibrationDesk:
    """Bench, store of certificates and folder of captures of one configuration."""

    def __init__(self, configuration: Configuration, *, settings: BenchSettings) -> None:
        self.configuration = configuration
        self.settings = settings
        """The bench as it is for runs."""
        self.store = CertificateStore(configuration.calibration.directory)
        self._lock = BenchLock(configuration)
        self._files = CaptureFiles(configuration.storage.captures_directory)

    @property
    def zero_within_a(self) -> tuple[float, float]:
        """Between which currents the zero of probe and channel lies by their declared limits, in amperes."""
        declared = declared_influences(self.configuration, circumstances(self.configuration), supply_voltage_v=0.0)
        # both are rectangular, and the root of three times the deviation of such a one is its limit
        limit_a = math.sqrt(3) * sum(
            one.standard_uncertainty for one in (declared.probe_zero_a, declared.scope_offset_a)
        )
        return declared.probe_zero_a.value - limit_a, declared.probe_zero_a.value + limit_a

    async def run(
        self,
        procedure: Callable[[Workbench], Awaitable[R]],
        *,
        operator: Operator,
        particulars: Particulars,
        progress: Progress,
        settings: BenchSettings | None = None,
    ) -> R:
        """Open the bench, run a procedure, and close the bench.

        Args:
            procedure: the procedure, its own arguments bound.
            operator: who changes the wiring.
            particulars: what the certificate says beside what was measured.
            progress: told of every step.
            settings: the bench as this procedure needs it; None: as it is for runs.

        Raises:
            BenchInUse: a daemon, or another calibration, holds the bench.
            DryRunRefusal: the configuration wants a dry run.
            JoulebenchError: an instrument, the operator or the procedure failed.
        """
        if self.configuration.safety.dry_run:
            raise DryRunRefusal("joulebench calibrate")
        with self._lock.held("joulebench calibrate"):
            async with Bench(settings or self.settings) as bench:
                workbench = Workbench(
                    bench,
                    operator,
                    keep=self._keep,
                    particulars=particulars,
                    progress=progress,
                    supply_offset_limit_a=self.configuration.power_supply.current_readback_limit_a,
                )
                return await procedure(workbench)

    def file(self, certificate: Certificate, draw: Callable[[Path], None] | None) -> tuple[Path, Path | None]:
        """Store a certificate and draw its picture beside it; return both files."""
        path = self.store.add(certificate)
        if draw is None:
            return path, None
        picture = path.with_suffix(".png")
        draw(picture)
        return path, picture

    def _keep(self, capture_id: str, capture: Capture, facts: Mapping[str, Any]) -> CaptureUse:
        reference = self._files.write(capture_id, capture, {"calibration": dict(facts)})
        return CaptureUse(capture_id=reference.capture_id, sha256=reference.sha256)
