"""Health over HTTP on a whole lab: it follows broker and instruments, counts runs, obeys the token, disturbs nobody."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import pytest_asyncio

from daemon.bootstrap import application
from daemon.errors import DaemonError
from daemon.web.routers import metrics as metrics_module
from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from tests.integration.bench_stage import IMPATIENT, Stage, configuration_of, stage_of
from tests.mosquitto import MosquittoBroker

pytestmark = pytest.mark.mosquitto
BATCHES = [(0.15, 0.005)] * 8
TOKEN = "the-token-of-an-integration-test"
WAIT_S = 60.0


@pytest.fixture(scope="module")
def bench() -> Iterator[SimulatedBenchThread]:
    with SimulatedBenchThread(WorldSettings(seed=6, time_scale=20.0)) as running:
        yield running


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture
async def lab(
    bench: SimulatedBenchThread,
    mosquitto_broker: MosquittoBroker,
    tmp_path: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[Stage, httpx.AsyncClient]]:
    token = tmp_path / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    http = {"port": port, "token_file": token}
    monkeypatch.setattr(metrics_module, "KEPT_S", 0.0)
    async with (
        stage_of(bench, mosquitto_broker.port, tmp_path / "data", http=http, **IMPATIENT) as stage,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S) as client,
    ):
        yield stage, client


async def until(client: httpx.AsyncClient, path: str, wanted: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Ask until the answer is as wanted."""
    async with asyncio.timeout(WAIT_S):
        while True:
            answer = await client.get(path)
            if wanted(answer):
                return answer
            await asyncio.sleep(0.05)


def is_ready(answer: httpx.Response) -> bool:
    return answer.status_code == 200


def failing(answer: httpx.Response) -> set[str]:
    return {one["name"] for one in answer.json()["checks"] if not one["ok"]}


async def number(client: httpx.AsyncClient, name: str) -> float:
    """Return one number, by its name with labels as it is written."""
    lines = (await client.get("/metrics")).text.splitlines()
    (found,) = [line for line in lines if line.startswith(f"joulebench_{name} ")]
    return float(found.split(" ")[1])


async def test_readiness_follows_the_broker(
    lab: tuple[Stage, httpx.AsyncClient], mosquitto_broker: MosquittoBroker
) -> None:
    _, client = lab
    await until(client, "/readyz", is_ready)
    mosquitto_broker.stop()
    gone = await until(client, "/readyz", lambda answer: not is_ready(answer))
    assert failing(gone) == {"broker"}
    (broker,) = [one for one in gone.json()["checks"] if one["name"] == "broker"]
    assert broker["text"].startswith("not connected: ")
    assert "start the broker" in broker["remedy"]
    assert (await client.get("/healthz")).status_code == 200, "a restart would not help"
    assert await number(client, "broker_connected") == 0
    mosquitto_broker.start()
    await until(client, "/readyz", is_ready)
    assert await number(client, "broker_connections_total") == 2
    assert await number(client, "ready") == 1


async def test_a_run_is_seen_in_the_numbers(lab: tuple[Stage, httpx.AsyncClient]) -> None:
    stage, client = lab
    result = await stage.run("r1", BATCHES)
    await stage.state("r1", "done")
    assert result["quality"] == "valid", result["reasons"]
    assert await number(client, 'runs_total{verdict="valid"}') == 1
    assert await number(client, "captures_total") == 1
    assert await number(client, "capture_seconds_count") == 1
    assert await number(client, 'run_phase_seconds_count{phase="armed"}') == 1
    assert await number(client, "database_write_seconds_count") >= 5
    assert await number(client, "supply_voltage_volts") == pytest.approx(19.0, abs=0.1)
    assert await number(client, "supply_output_on") == 1
    assert 0 <= await number(client, "supply_reading_age_seconds") < WAIT_S
    await until(client, "/metrics", lambda answer: 'joulebench_bench_state{state="free"} 1.0' in answer.text)
    degraded = await stage.run("few", BATCHES[:1])
    await stage.state("few", "done")
    assert degraded["reasons"]
    for reason in degraded["reasons"]:
        labels = f'reason="{reason["code"]}",verdict="{degraded["quality"]}"'
        assert await number(client, f"run_reasons_total{{{labels}}}") == 1
    await stage.request("r2", network="nonsense")
    await stage.state("r2", "rejected")
    assert await number(client, 'run_reasons_total{reason="unknown_network",verdict="rejected"}') == 1
    assert "nonsense" not in (await client.get("/metrics")).text, "no message makes a series"


async def test_readiness_follows_the_instruments(lab: tuple[Stage, httpx.AsyncClient]) -> None:
    stage, client = lab
    await until(client, "/readyz", is_ready)
    stage.bench.faults.inject("wrong_identity", "oscilloscope")
    try:
        await stage.request("stranger")
        await stage.state("stranger", "rejected")
        answer = await until(
            client, "/readyz", lambda one: "instruments" in failing(one) and "recovery" not in failing(one)
        )
    finally:
        stage.bench.faults.inject("heal", None)
    assert failing(answer) == {"instruments"}
    name = 'instrument_failures_total{instrument="oscilloscope",reason="wrong_instrument"}'
    assert await number(client, name) == 1
    assert (await stage.run("after", BATCHES))["quality"] == "valid"
    await until(client, "/readyz", is_ready)


async def test_the_lab_ends_a_run_with_the_token_alone(lab: tuple[Stage, httpx.AsyncClient]) -> None:
    stage, client = lab
    await stage.request("r1")
    await stage.state("r1", "armed")
    assert (await client.get("/readyz")).json()["run_in_hand"] == "r1"
    refused = await client.post("/api/v1/runs/r1/abort", headers={"Authorization": "Bearer " + TOKEN[:-1]})
    assert refused.status_code == 401
    taken = await client.post(
        "/api/v1/runs/r1/abort", headers={"Authorization": f"Bearer {TOKEN}"}, json={"text": "smoke"}
    )
    assert taken.status_code == 202
    state = await stage.state("r1", "failed")
    assert (state["reason"], state["text"]) == ("aborted_by_lab", "aborted over HTTP: smoke")
    result = await stage.run("r2", BATCHES)
    assert result["quality"] == "valid", result["reasons"]
    assert await number(client, 'run_reasons_total{reason="aborted_by_lab",verdict="failed"}') == 1


async def test_neither_broken_handlers_nor_rude_clients_disturb_a_run(
    lab: tuple[Stage, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, client = lab

    def broken(*_: object) -> Any:
        raise RuntimeError("planted")

    monkeypatch.setattr(type(stage.daemon.health), "health", broken)
    over = asyncio.Event()
    async with rude_clients(client, over) as answers:
        result = await stage.run("r1", BATCHES)
        await stage.state("r1", "done")
        over.set()
    assert result["quality"] == "valid", result["reasons"]
    assert answers.count(500) > 0
    assert (await client.get("/readyz")).status_code in {200, 503}


@asynccontextmanager
async def rude_clients(client: httpx.AsyncClient, over: asyncio.Event) -> AsyncIterator[list[int]]:
    """Ask for what breaks again and again, and hold connections that say nothing, until it is over."""
    answers: list[int] = []

    async def ask() -> None:
        while not over.is_set():
            answers.append((await client.get("/healthz")).status_code)

    silent = [await asyncio.open_connection(client.base_url.host, client.base_url.port) for _ in range(20)]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(ask())
        yield answers
    for _, writer in silent:
        writer.close()
    await asyncio.gather(*(writer.wait_closed() for _, writer in silent), return_exceptions=True)


async def test_without_a_port_nothing_listens(
    bench: SimulatedBenchThread, mosquitto_broker: MosquittoBroker, tmp_path: Path
) -> None:
    process, before = psutil.Process(), _listeners()
    async with stage_of(bench, mosquitto_broker.port, tmp_path) as stage:
        assert stage.daemon.web is None
        assert _listeners() == before, process
        assert not {"http", "surroundings", "loop-watch"} & {task.get_name() for task in asyncio.all_tasks()}


async def test_with_a_port_the_loopback_alone_listens(lab: tuple[Stage, httpx.AsyncClient], port: int) -> None:
    assert [address for address in _listeners() if address[1] == port] == [("127.0.0.1", port)]


def _listeners() -> list[tuple[str, int]]:
    connections = psutil.Process().net_connections("inet")
    return sorted(tuple(one.laddr) for one in connections if one.status == psutil.CONN_LISTEN)  # type: ignore[misc]


async def test_a_port_that_is_taken_is_told_at_the_start(bench: SimulatedBenchThread, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        daemon = application(configuration_of(bench.addresses, 1, tmp_path, http={"port": port}))
        with pytest.raises(DaemonError, match=rf"http: cannot listen on 127.0.0.1:{port}: Address already in use"):
            await daemon.run(stop=asyncio.Event())
