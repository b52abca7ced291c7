"""Bench report: one document about real instruments, for its owner to send back."""

import json
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from daemon.bench_lock import BenchLock
from daemon.bootstrap import bench_settings
from daemon.configuration import Configuration
from daemon.readiness import Finding
from instruments.bench_settings import OSCILLOSCOPE_DRIVER, POWER_SUPPLY_DRIVER, BenchSettings
from instruments.connector import Connector, VisaConnector
from instruments.trials.scope_trials import try_oscilloscope
from instruments.trials.supply_trials import try_supply
from instruments.trials.trial import Trial, TrialLog, Verdict
from instruments.visa_session import VisaSession

VERSION = 1
"""Version of the document."""
_PACKAGES = ("joulebench", "pyvisa", "pyvisa-py", "numpy", "pyusb", "pyserial", "gpiod")


def make_trials(
    configuration: Configuration, *, connector: Connector | None = None, tell: Callable[[str], None]
) -> list[Trial]:
    """Make every trial of docs/hardware-checklist.md that needs no hands; takes about 10 s.

    The oscilloscope is programmed and put back; the supply is only asked.

    Args:
        configuration: which instruments.
        connector: makes the sessions; None: through PyVISA.
        tell: hears of each trial before it is made.

    Raises:
        BenchInUse: a daemon, or another program, holds the bench.
    """
    log = TrialLog(tell)
    with BenchLock(configuration).held("joulebench check --bench-report"):
        _make_all(bench_settings(configuration), connector or VisaConnector(), log)
    return log.trials


def _make_all(settings: BenchSettings, connector: Connector, log: TrialLog) -> None:
    if settings.oscilloscope_driver == OSCILLOSCOPE_DRIVER:
        _with_session(
            log,
            "S0",
            lambda stack: _scope_session(stack, settings, connector),
            lambda session: try_oscilloscope(session, settings.oscilloscope_settings, log),
        )
    else:
        _leave_alone(log, "S0", settings.oscilloscope_driver)
    if settings.power_supply_driver == POWER_SUPPLY_DRIVER:
        _with_session(
            log,
            "P0",
            lambda stack: _supply_session(stack, settings, connector),
            lambda session: try_supply(session, log),
        )
    else:
        _leave_alone(log, "P0", settings.power_supply_driver)


def _leave_alone(log: TrialLog, number: str, driver: str) -> None:
    """Write down why nothing is sent: the trials are messages of this project's own instruments, which mean others."""
    log.attempt(number, "connect", lambda: f"nothing was tried: no trials are known for the driver {driver}")


def report_document(
    configuration: Configuration, findings: Sequence[Finding], trials: Sequence[Trial]
) -> dict[str, Any]:
    """Return the document: versions, resource names, what `check` found, what the trials showed. No secret is in it."""
    return {
        "bench_report": VERSION,
        "made_utc_ns": time.time_ns(),
        "software": _software(),
        "resources": {
            "oscilloscope": configuration.oscilloscope.resource,
            "power_supply": configuration.power_supply.resource,
            "gpib_adapter": configuration.power_supply.gpib_adapter,
        },
        "probe": configuration.probe.model_dump(),
        "checks": [asdict(one) for one in findings],
        "trials": [asdict(one) for one in trials],
        "verdicts": {one.value: sum(trial.verdict is one for trial in trials) for one in Verdict},
    }


def write_report(path: Path, document: dict[str, Any]) -> None:
    """Write the document; a file that is there already is not overwritten.

    Raises:
        FileExistsError: it is there.
    """
    with path.open("x", encoding="utf-8") as file:
        file.write(json.dumps(document, indent=2, allow_nan=False) + "\n")


def _with_session(
    log: TrialLog,
    number: str,
    connect: Callable[[ExitStack], VisaSession],
    work: Callable[[VisaSession], None],
) -> None:
    opened: list[VisaSession] = []

    def connected() -> str:
        opened.append(connect(stack))
        return opened[0].resource

    with ExitStack() as stack:
        log.attempt(number, "connect", connected, expected="its resource name", accepts=bool)
        for session in opened:
            work(session)


def _scope_session(stack: ExitStack, settings: BenchSettings, connector: Connector) -> VisaSession:
    resource = settings.oscilloscope_resource
    return connector.connect(stack, resource, role="oscilloscope", timeout_s=settings.timeout_s)


def _supply_session(stack: ExitStack, settings: BenchSettings, connector: Connector) -> VisaSession:
    return connector.connect(
        stack,
        settings.power_supply_resource,
        role="power_supply",
        timeout_s=settings.timeout_s,
        gpib_adapter=settings.gpib_adapter_resource,
        line=settings.serial_line,
    )


def _software() -> dict[str, str | None]:
    versions = {name: _version(name) for name in _PACKAGES}
    return versions | {"python": platform.python_version(), "platform": platform.platform()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
