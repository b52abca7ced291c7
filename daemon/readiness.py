"""Readiness: everything that a run needs, examined without changing anything of the bench."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import aiomqtt

from calibration.certificate import Certificate
from calibration.chain_certificate import ChainCertificate
from calibration.delay_certificate import DelayCertificate
from calibration.errors import CertificateFileError
from calibration.lead_certificate import LeadCertificate
from calibration.selection import Selection, SelectionOutcome
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from daemon.bench_configuration import bench_settings, circumstances
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.database_status import database_status
from daemon.errors import StoreError
from daemon.remedies import (
    ALARM_STANDS,
    CAPTURES_REFUSED,
    DISK_FULL,
    ENVELOPE_LEFT,
    STORE_REFUSES,
    broker_remedy,
    instrument_remedy,
    supply_remedy,
    where_is,
)
from daemon.sections.application import MqttSection
from daemon.sections.storage import MissingCertificate
from daemon.sqlite_file import sqlite_path
from daemon.store import Store
from daemon.supply_alarm import AlarmFile
from instruments.bench import Bench
from instruments.bench_settings import OutputOnExit
from instruments.connector import Connector
from instruments.errors import BenchNotReady, InstrumentError
from instruments.reachability import port_reach, reach_of
from instruments.supply_envelope import SupplyEnvelope
from instruments.supply_reading import SupplyReading
from metrology.errors import JoulebenchError

C = TypeVar("C", bound=Certificate)

BROKER_TIMEOUT_S = 5.0
"""Longest wait for the broker."""
ROLES = ("oscilloscope", "power_supply")
"""Instruments that answer for themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of the bench, examined."""

    part: str
    """What was examined."""
    ok: bool
    """Whether it is as it should be."""
    text: str
    """What was found, or what is wrong."""
    remedy: str = ""
    """What to do about it; empty where all is well."""


async def examine(configuration: Configuration, *, connector: Connector | None = None) -> list[Finding]:
    """Examine every part, and go on where one fails; the connector makes the sessions, None: through PyVISA."""
    instruments, broker, store, captures = await asyncio.gather(
        examine_instruments(configuration, connector),
        _broker_finding(configuration),
        _guarded("store", lambda: asyncio.to_thread(_store, configuration), STORE_REFUSES),
        asyncio.to_thread(_captures_finding, configuration),
    )
    identities = {finding.part: finding.text for finding in instruments if finding.ok}
    certificates = await asyncio.to_thread(certificate_findings, configuration, identities, at_utc_ns=time.time_ns())
    alarms = await asyncio.to_thread(alarm_findings, configuration)
    return [*instruments, *alarms, broker, store, captures, *certificates]


def alarm_findings(configuration: Configuration) -> list[Finding]:
    """Return the alarms of the supply for which no run is taken; nothing where there is none."""
    return [
        Finding(part="supply alarm", ok=False, text=alarm.text, remedy=ALARM_STANDS)
        for alarm in AlarmFile(configuration).standing()
    ]


def certificate_findings(
    configuration: Configuration, identities: Mapping[str, str], *, at_utc_ns: int
) -> list[Finding]:
    """Return which certificate of each kind a run would use, or why none.

    Args:
        configuration: the bench.
        identities: identity string by role of the instruments that answered.
        at_utc_ns: when the run would be measured.
    """
    try:
        chosen = certificate_selections(configuration, identities, at_utc_ns=at_utc_ns)
    except CertificateFileError as error:
        return [unreadable_certificate(error)]
    return selection_findings(configuration, chosen)


def certificate_selections(
    configuration: Configuration, identities: Mapping[str, str], *, at_utc_ns: int
) -> list[tuple[type[Certificate], str, Selection[Any]]]:
    """Return the search for each kind of certificate that this bench needs: kind, board where it has one, outcome.

    Raises:
        CertificateFileError: a file was changed or damaged.
    """
    store = CertificateStore(configuration.calibration.directory)
    now = circumstances(configuration, instruments=identities)
    kinds: list[type[Certificate]] = [ChainCertificate, ZeroCertificate]
    if not now.remote_sense:
        kinds.append(LeadCertificate)
    found: list[tuple[type[Certificate], str, Selection[Any]]]
    found = [(kind, "", store.select(kind, now, at_utc_ns=at_utc_ns)) for kind in kinds]
    for board in sorted({one.board for one in store.of_kind(DelayCertificate)}):
        selection = store.select(DelayCertificate, replace(now, board=board), at_utc_ns=at_utc_ns)
        found.append((DelayCertificate, board, selection))
    return found


def selection_findings(
    configuration: Configuration, chosen: Sequence[tuple[type[Certificate], str, Selection[Any]]]
) -> list[Finding]:
    """Return what `certificate_selections` found, for people."""
    missing = configuration.calibration.missing
    return [
        _certificate_finding(kind, selection, missing, of=f" of {board}" if board else "")
        for kind, board, selection in chosen
    ]


def unreadable_certificate(error: CertificateFileError) -> Finding:
    """Return what a damaged certificate comes to: it is not passed over."""
    return Finding(part="certificates", ok=False, text=f"{error}; restore it, or move it out of the folder")


def _certificate_finding(
    kind: type[Certificate], selection: Selection[C], missing: MissingCertificate, *, of: str = ""
) -> Finding:
    part, certificate = f"certificate: {kind.KIND}{of}", selection.certificate
    if certificate is not None:
        until = datetime.fromtimestamp(certificate.valid_until_utc_ns / 1e9, UTC)
        return Finding(part=part, ok=True, text=f"{certificate.certificate_id}, until {until:%Y-%m-%d %H:%M} UTC")
    needed = kind is ChainCertificate
    if needed and missing is MissingCertificate.REJECT:
        text = f"{selection.text}; calibration.missing is `reject`, so every run is refused"
        return Finding(part=part, ok=False, text=text)
    # Nothing is wrong with having none, so nothing is to be done. What cannot be used is named, as a result names it.
    never_made, unfit = (selection.outcome is one for one in (SelectionOutcome.MISSING, SelectionOutcome.MISMATCH))
    degraded = needed or not never_made
    if missing is MissingCertificate.ACCEPT:
        degraded = unfit
    text = "none in use; the declared limits stand" + (", and results are `degraded`" if degraded else "")
    why = "" if never_made else f" ({selection.outcome.value}: {selection.text})"
    return Finding(part=part, ok=True, text=text + why)


async def _guarded(part: str, work: Callable[[], Awaitable[str]], remedy: str) -> Finding:
    try:
        return Finding(part=part, ok=True, text=await work())
    except (JoulebenchError, OSError) as error:
        return Finding(part=part, ok=False, text=str(error) or type(error).__name__, remedy=remedy)


async def examine_instruments(configuration: Configuration, connector: Connector | None = None) -> list[Finding]:
    """Examine both instruments, and how the supply is set: all of a check that a transcript holds.

    Args:
        configuration: which instruments.
        connector: makes the sessions; None: through PyVISA.
    """
    # Looking is no session: whatever a session's end does to a live output, looking leaves it alone.
    settings = replace(bench_settings(configuration), output_on_exit=OutputOnExit.LEAVE)
    try:
        bench = Bench(settings, connector=connector)
    except InstrumentError as error:
        return [await _failed(error, configuration)]
    try:
        identities = await bench.open()
        found = [Finding(part=role, ok=True, text=identity) for role, identity in identities.items()]
        reading = await bench.read_supply(take_events=False)
        envelope = _envelope_finding(await bench.supply_set_points(), bench.settings.envelope)
        return [*found, _supply_finding(reading), envelope]
    except BenchNotReady as error:
        failed = [await _failed(failure, configuration) for failure in error.failures]
        return [*_answering(error), *failed]
    except InstrumentError as error:
        return [await _failed(error, configuration)]
    finally:
        await bench.close()


async def _failed(error: InstrumentError, configuration: Configuration) -> Finding:
    reach = await asyncio.to_thread(reach_of, where_is(error.instrument, configuration))
    remedy = instrument_remedy(error, reach, configuration)
    return Finding(part=error.instrument, ok=False, text=str(error), remedy=remedy)


def _answering(error: BenchNotReady) -> list[Finding]:
    """Return the instruments that did answer; a bench of which one is missing is closed again."""
    failed = {"power_supply" if one.instrument == "gpib_adapter" else one.instrument for one in error.failures}
    text = "it answers as it should; its settings are examined once every instrument does"
    return [Finding(part=role, ok=True, text=text) for role in ROLES if role not in failed]


def _supply_finding(reading: SupplyReading) -> Finding:
    text = f"{reading.voltage_v:z.4f} V, {reading.current_a:z.4f} A, {reading.mode.value}"
    text += "" if reading.output_on else "; the output is off"
    text += "; its over-voltage protection has tripped" if reading.ovp_tripped else ""
    remedy = supply_remedy(reading)
    return Finding(part="supply output", ok=not remedy, text=text, remedy=remedy)


def _envelope_finding(set_points: tuple[float, float], envelope: SupplyEnvelope) -> Finding:
    voltage_v, current_a = set_points
    text = f"set {voltage_v:g} V, {current_a:g} A; envelope {envelope.max_voltage_v:g} V, {envelope.max_current_a:g} A"
    inside = voltage_v <= envelope.max_voltage_v and current_a <= envelope.max_current_a
    return Finding(part="supply envelope", ok=inside, text=text, remedy="" if inside else ENVELOPE_LEFT)


async def _broker_finding(configuration: Configuration) -> Finding:
    mqtt = configuration.mqtt
    where = f"{mqtt.host}:{mqtt.port}"
    try:
        await _connect(configuration)
    except (JoulebenchError, aiomqtt.MqttError, OSError) as error:
        reach = await asyncio.to_thread(port_reach, mqtt.host, mqtt.port)
        text = f"{where}: {str(error) or type(error).__name__}"
        return Finding(part="broker", ok=False, text=text, remedy=broker_remedy(error, reach, mqtt))
    return Finding(part="broker", ok=True, text=f"connected to {where}{_on_the_way(mqtt)}")


def _on_the_way(mqtt: MqttSection) -> str:
    """Say who else can read what is said to the broker, where somebody can."""
    if mqtt.ca_file is not None:
        return ", encrypted"
    if mqtt.host == "localhost" or mqtt.host.startswith("127.") or mqtt.host == "::1":
        return ""
    return "; not encrypted: the network between can read and change what is said (docs/how-to/secure-the-broker.md)"


async def _connect(configuration: Configuration) -> None:
    address = configuration.mqtt.address()
    client = aiomqtt.Client(
        address.host,
        address.port,
        username=address.username,
        password=address.password,
        tls_context=address.tls_context(),
        identifier=f"{configuration.mqtt_client_id}-check",
        timeout=BROKER_TIMEOUT_S,
    )
    async with client:
        pass


def _store(configuration: Configuration) -> str:
    file = sqlite_path(configuration.storage.url)
    if file is not None and not file.exists():
        _refuse_unwritable(file)
        return f"{configuration.storage.shown_url} is not there yet: the daemon makes it when it first starts"
    status = database_status(configuration.storage.url)
    if status.state == "older" and status.url.startswith("sqlite"):
        return f"{status.url}, tables of revision {status.held}: the daemon upgrades them when it starts, after a copy"
    with Store(configuration.storage.url) as store:
        return f"{configuration.storage.shown_url}, {store.run_count()} runs"


def _refuse_unwritable(file: Path) -> None:
    """Refuse a folder in which the daemon could not make its database; nothing is made."""
    folder = next(folder for folder in file.absolute().parents if folder.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise StoreError(f"database {file} is not there, and cannot be made: {folder} is no folder to write in")


def _captures_finding(configuration: Configuration) -> Finding:
    part, least = "captures", configuration.storage.min_free_bytes
    files = CaptureFiles(configuration.storage.captures_directory)
    try:
        free = files.free_bytes()
    except OSError as error:
        return Finding(part=part, ok=False, text=str(error), remedy=CAPTURES_REFUSED)
    text = f"{files.directory}, {free / 1e9:.1f} GB free"
    if free < least:
        text += f"; storage.min_free_bytes asks for {least / 1e9:.1f} GB"
        return Finding(part=part, ok=False, text=text, remedy=DISK_FULL)
    return Finding(part=part, ok=True, text=text)
