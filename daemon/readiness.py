"""Readiness: everything that a run needs, examined without changing anything of the bench."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiomqtt

from daemon.bootstrap import bench_settings
from daemon.captures import CaptureFiles
from daemon.configuration import Configuration
from daemon.store import Store
from instruments.bench import Bench
from instruments.errors import BenchNotReady, InstrumentError
from instruments.supply_reading import SupplyReading
from metrology.errors import JoulebenchError

BROKER_TIMEOUT_S = 5.0
"""Longest wait for the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One part of the bench, examined."""

    part: str
    """What was examined."""
    ok: bool
    """Whether it is as it should be."""
    text: str
    """What was found, or what is wrong and what to do."""


async def examine(configuration: Configuration) -> list[Finding]:
    """Examine every part, and go on where one fails."""
    instruments, broker, store, captures = await asyncio.gather(
        _instruments(configuration),
        _guarded("broker", lambda: _broker(configuration)),
        _guarded("store", lambda: asyncio.to_thread(_store, configuration)),
        _guarded("captures", lambda: asyncio.to_thread(_captures, configuration)),
    )
    return [*instruments, broker, store, captures]


async def _guarded(part: str, work: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(part=part, ok=True, text=await work())
    except (JoulebenchError, aiomqtt.MqttError, OSError, TimeoutError) as error:
        return Finding(part=part, ok=False, text=str(error) or type(error).__name__)


async def _instruments(configuration: Configuration) -> list[Finding]:
    bench = Bench(bench_settings(configuration))
    try:
        identities = await bench.open()
        found = [Finding(part=role, ok=True, text=identity) for role, identity in identities.items()]
        return [*found, _supply_finding(await bench.read_supply(take_events=False))]
    except BenchNotReady as error:
        return [Finding(part=failure.instrument, ok=False, text=str(failure)) for failure in error.failures]
    except InstrumentError as error:
        return [Finding(part=error.instrument, ok=False, text=str(error))]
    finally:
        await bench.close()


def _supply_finding(reading: SupplyReading) -> Finding:
    text = f"{reading.voltage_v:.4f} V, {reading.current_a:.4f} A, {reading.mode.value}"
    if not reading.output_on:
        text += "; the output is off: switch it on before a run"
    return Finding(part="supply output", ok=reading.output_on and not reading.ovp_tripped, text=text)


async def _broker(configuration: Configuration) -> str:
    mqtt = configuration.mqtt
    where = f"{mqtt.host}:{mqtt.port}"
    client = aiomqtt.Client(
        mqtt.host,
        mqtt.port,
        username=mqtt.username,
        password=mqtt.password(),
        identifier=f"{configuration.mqtt_client_id}-check",
        timeout=BROKER_TIMEOUT_S,
    )
    try:
        async with client:
            return f"connected to {where}"
    except aiomqtt.MqttError as error:
        raise ConnectionError(f"{where}: {error}; is the broker running, and the address right?") from error


def _store(configuration: Configuration) -> str:
    with Store(configuration.storage.url) as store:
        return f"{configuration.storage.shown_url}, {store.run_count()} runs"


def _captures(configuration: Configuration) -> str:
    files = CaptureFiles(configuration.storage.captures_directory)
    free, least = files.free_bytes(), configuration.storage.min_free_bytes
    if free < least:
        raise OSError(
            f"{files.directory}: {free / 1e9:.1f} GB free, storage.min_free_bytes asks for {least / 1e9:.1f} GB"
        )
    return f"{files.directory}, {free / 1e9:.1f} GB free"
