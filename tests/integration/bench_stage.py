"""A whole lab for integration tests: simulated bench, real broker, the daemon's application, and a board by hand."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiomqtt

from daemon.application import Application
from daemon.bootstrap import application
from daemon.configuration import Configuration
from instruments.connector import Connector
from instruments.simulated.bench import BenchAddresses, SimulatedBenchThread
from instruments.simulated.truth import TruthClient
from runners.topics import Topics

BENCH, BOARD = "test", "board"
STEP_TIMEOUT_S = 20.0
INSTRUMENT_TIMEOUT_S = 5.0
"""Longer than any pause of a busy computer; a test in which an instrument is silent names a shorter one, IMPATIENT."""
IMPATIENT = {"oscilloscope": {"timeout_s": 1.0}, "power_supply": {"timeout_s": 1.0}}


def configuration_of(addresses: BenchAddresses, port: int, folder: Path, **changes: dict[str, Any]) -> Configuration:
    """Return the configuration of a simulated bench; changes are per section."""
    sections: dict[str, dict[str, Any]] = {
        "bench": {"name": BENCH},
        "mqtt": {"host": "127.0.0.1", "port": port},
        "oscilloscope": {
            "resource": addresses.oscilloscope,
            "current_scale_a_per_div": 0.2,
            "current_offset_a": 0.6,
            "timeout_s": INSTRUMENT_TIMEOUT_S,
        },
        "power_supply": {
            "resource": addresses.power_supply,
            "gpib_adapter": addresses.gpib_adapter,
            "max_voltage_v": 20.0,
            "max_current_a": 2.2,
            "timeout_s": INSTRUMENT_TIMEOUT_S,
        },
        "runs": {"trigger_timeout_s": 10.0, "finished_timeout_s": 10.0, "on_shutdown": "interrupt"},
        "storage": {"directory": folder, "min_free_bytes": 1000},
        "calibration": {"directory": folder / "certificates", "missing": "accept"},
    }
    for name, section in changes.items():
        sections[name] = sections.get(name, {}) | section
    return Configuration(**sections)


class Marker:
    """The marker's wire, by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, address: str) -> "Marker":
        host, port = address.removeprefix("tcp://").rsplit(":", 1)
        return cls(*await asyncio.open_connection(host, int(port)))

    async def play(self, pulses: list[tuple[float, float]]) -> None:
        """Play pulses of (high, low) world seconds; return when the last has passed."""
        text = " ".join(f"{high} {low}" for high, low in pulses)
        self._writer.write(f"play {text}\n".encode())
        assert (await self._reader.readline()).startswith(b"ok")
        assert (await self._reader.readline()).startswith(b"done")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@dataclass
class Stage:
    """Everything on it, running."""

    bench: SimulatedBenchThread
    configuration: Configuration
    daemon: Application
    client: aiomqtt.Client
    marker: Marker
    truth: TruthClient
    stop: asyncio.Event
    """Set it to have the daemon stop."""
    hurry: asyncio.Event
    """Set it to have it stop at once."""
    serving: asyncio.Task[None]
    """The daemon; done once it has stopped."""
    bench_name: str = BENCH
    seen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every message of the daemon, in order."""
    result_arrived_ns: dict[str, int] = field(default_factory=dict)
    """When the last result of each run arrived, on this computer's monotonic clock."""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def topics(self) -> Topics:
        return Topics(self.bench_name)

    async def listen(self) -> None:
        async for message in self.client.messages:
            if isinstance(message.payload, bytes) and message.payload:
                try:
                    document = json.loads(message.payload)
                except (ValueError, RecursionError):
                    continue  # what a fuzz asks comes here too
                async with self._arrived:
                    self.seen.append((message.topic.value, document))
                    if message.topic.value.endswith("/result"):
                        self.result_arrived_ns[self.seen[-1][1]["run_id"]] = time.monotonic_ns()
                    self._arrived.notify_all()

    async def say(self, kind: str, run_id: str, board: str = BOARD, /, **payload: Any) -> None:
        """Publish a board's message; a payload of its own bytes by `raw`."""
        topic = f"joulebench/v1/{self.bench_name}/boards/{board}/runs/{run_id}/{kind}"
        body = payload.pop("raw", None) or json.dumps({"v": 1, **payload}).encode()
        await self.client.publish(topic, body, qos=1)

    async def request(self, run_id: str, /, **changes: Any) -> None:
        await self.say("request", run_id, **({"network": "alexnet", "batch_size": 4} | changes))

    async def state(self, run_id: str, *wanted: str, capture_index: int | None = None) -> dict[str, Any]:
        """Wait for one of these states of a run."""

        def found() -> dict[str, Any] | None:
            for topic, payload in self.seen:
                fits = topic == self.topics.state(run_id) and payload["state"] in wanted
                if fits and capture_index in (None, payload["capture_index"]):
                    return payload
            return None

        def over() -> dict[str, Any] | None:
            ends = {"done", "rejected", "failed", "interrupted"} - set(wanted)
            return next((p for t, p in self.seen if t == self.topics.state(run_id) and p["state"] in ends), None)

        state = await self._wait(lambda: found() or over(), f"state {wanted} of {run_id}")
        assert found() is not None, f"run {run_id} ended: {state}"
        return state

    async def result(self, run_id: str, count: int = 1) -> dict[str, Any]:
        """Wait for a run's result (the last of so many)."""

        def found() -> dict[str, Any] | None:
            results = [payload for topic, payload in self.seen if topic == self.topics.result(run_id)]
            return results[count - 1] if len(results) >= count else None

        return await self._wait(found, f"result {count} of {run_id}")

    async def run(self, run_id: str, pulses: list[tuple[float, float]], /, **changes: Any) -> dict[str, Any]:
        """Perform a whole run of one capture as a board does, and return its result."""
        await self.request(run_id, **changes)
        await self.state(run_id, "armed")
        await self.say("started", run_id, started_utc_ns=1)
        await self.marker.play(pulses)
        await self.finish(run_id, pulses, batch_size=changes.get("batch_size", 4))
        return await self.result(run_id)

    async def finish(self, run_id: str, pulses: list[tuple[float, float]], *, batch_size: int = 4) -> None:
        durations_ns = [round(high * 1e9) for high, _ in pulses]
        total_ns = round(1e9 * (sum(high + low for high, low in pulses) - pulses[-1][1]))
        await self.say(
            "finished",
            run_id,
            finished_utc_ns=2,
            images=batch_size * len(pulses),
            batches=len(pulses),
            started_monotonic_ns=0,
            finished_monotonic_ns=total_ns,
            batch_durations_ns=durations_ns[:4096],
            batch_duration_median_ns=sorted(durations_ns)[len(durations_ns) // 2],
        )

    async def _wait(self, found: Any, what: str) -> dict[str, Any]:
        async with self._arrived:
            try:
                async with asyncio.timeout(STEP_TIMEOUT_S):
                    await self._arrived.wait_for(lambda: found() is not None)
            except TimeoutError:
                raise AssertionError(f"no {what} within {STEP_TIMEOUT_S} s; seen {self.seen[-5:]}") from None
        return found()


@asynccontextmanager
async def stage_of(
    bench: SimulatedBenchThread,
    port: int,
    folder: Path,
    /,
    *,
    connector: Connector | None = None,
    read: Callable[[], Configuration] | None = None,
    **changes: Any,
) -> AsyncIterator[Stage]:
    """Set a stage on a running simulated bench and a running broker; `read` is asked where it is reloaded."""
    configuration = configuration_of(bench.addresses, port, folder, **changes)
    name = configuration.bench.name
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiomqtt.Client("127.0.0.1", port, identifier=f"stage-{name}"))
        await client.subscribe(f"joulebench/v1/{name}/runs/#", qos=1)
        await client.subscribe(f"joulebench/v1/{name}/status", qos=1)
        daemon = application(configuration, connector=connector, read=read)
        stop, hurry, ready = asyncio.Event(), asyncio.Event(), asyncio.Event()
        serving = asyncio.create_task(daemon.run(stop=stop, ready=ready.set, hurry=hurry), name="daemon")
        marker = await Marker.connect(bench.addresses.marker)
        stack.push_async_callback(marker.close)
        truth = stack.enter_context(TruthClient(bench.addresses.truth))
        stage = Stage(bench, configuration, daemon, client, marker, truth, stop, hurry, serving, name)
        listening = asyncio.create_task(stage.listen(), name="listen")
        try:
            await asyncio.wait_for(ready.wait(), STEP_TIMEOUT_S)
            yield stage
        finally:
            stop.set()
            await asyncio.wait_for(serving, STEP_TIMEOUT_S)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
