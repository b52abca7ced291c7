"""Daemon and agent as a service manager has them: separate processes that it hears, reloads and stops."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.mosquitto import MosquittoBroker
from tests.notify_socket import NotifySocket, notify_socket
from tests.system.lab_processes import LabProcesses, Process, lab_of

pytestmark = [pytest.mark.mosquitto, pytest.mark.system, pytest.mark.timeout(240)]
WATCHDOG_S = 0.3
SILENCE_S = 5 * WATCHDOG_S
"""Fifteen beats of a process that is well."""
NOBODY = {
    "oscilloscope": "TCPIP0::127.0.0.1::9::SOCKET",
    "power_supply": "GPIB0::5::INSTR",
    "gpib_adapter": "PRLGX-TCPIP0::127.0.0.1::9::INTFC",
    "marker": "none",
}
"""Addresses that refuse: a daemon whose instruments are missing serves all the same."""


@pytest.fixture
def lab(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Iterator[LabProcesses]:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.ready = NOBODY
        yield lab


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[NotifySocket]:
    with notify_socket(tmp_path) as manager:
        yield manager


def watched(manager: NotifySocket) -> dict[str, str]:
    return {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}


def daemon_of(lab: LabProcesses, manager: NotifySocket, *options: str, text: str = "") -> Process:
    lab.configure(text=text)
    return lab.service("daemon", "daemon", "--config", str(lab.config), *options, **watched(manager))


@contextmanager
def killed(process: Process) -> Iterator[None]:
    """What is blocked for ever can only be killed; a service manager does no less."""
    try:
        yield
    finally:
        process.popen.kill()
        process.popen.wait(60)


def beats(manager: NotifySocket) -> None:
    for _ in range(3):
        manager.until("WATCHDOG=1")


def test_a_daemon_is_ready_alive_reloaded_and_stopped(lab: LabProcesses, manager: NotifySocket) -> None:
    daemon = daemon_of(lab, manager)
    manager.until("READY=1")
    assert "STATUS=bench sys not open, the next run tries again; broker connected; no run" in manager.heard
    beats(manager)
    lab.configure(text="[runs]\nmax_captures = 7\n")
    daemon.popen.send_signal(signal.SIGHUP)
    assert manager.until("RELOADING=1").split("\n")[1].startswith("MONOTONIC_USEC=")
    manager.until("READY=1")
    daemon.says("runs.max_captures: 100 -> 7, from the next run on")
    lab.config.write_text("nonsense")
    daemon.popen.send_signal(signal.SIGHUP)
    daemon.says("configuration not taken over, all stays as it was")
    beats(manager)
    assert daemon.stop() == 0
    manager.until("STOPPING=1")
    log = daemon.log.read_text()
    assert log.index("told to end: no further run is taken") < log.index("ended: instruments, database and broker")
    assert "alembic" not in log, "plugins that it loads are no news"


@pytest.mark.long
def test_a_broker_that_is_away_is_waited_for(
    lab: LabProcesses, manager: NotifySocket, mosquitto_broker: MosquittoBroker
) -> None:
    """As long as it takes: a start that goes on asks for more time again and again."""
    mosquitto_broker.stop()
    daemon_of(lab, manager)
    away = manager.until("broker 127.0.0.1:")
    assert f"broker 127.0.0.1:{mosquitto_broker.port} away" in away
    for _ in range(3):
        manager.until("EXTEND_TIMEOUT_USEC=")
    assert "READY=1" not in manager.heard
    mosquitto_broker.start()
    manager.until("READY=1")


@pytest.mark.parametrize("planted", [signal.SIGUSR1, signal.SIGUSR2])
def test_a_daemon_whose_loop_or_thread_is_stuck_says_nothing_more(
    lab: LabProcesses, manager: NotifySocket, planted: signal.Signals
) -> None:
    daemon = daemon_of(lab, manager, text="[watchdog]\nwork_limit_s = 0.5\n")
    manager.until("READY=1")
    beats(manager)
    with killed(daemon):
        daemon.popen.send_signal(planted)
        manager.until("X_PLANTED=")
        if planted == signal.SIGUSR2:
            manager.until("STATUS=stuck: a piece of work has been running for")
        assert manager.is_silent("WATCHDOG=1", SILENCE_S)


@pytest.mark.long
def test_an_agent_is_ready_alive_and_stopped(lab: LabProcesses, manager: NotifySocket) -> None:
    options = [*lab.board_options(), "--scripted", "0.1,0.005,8"]
    agent = lab.service("agent", "board", "serve", *options, **watched(manager))
    manager.until("READY=1")
    assert "STATUS=broker connected; free" in manager.heard
    beats(manager)
    assert agent.stop() == 0
    manager.until("STOPPING=1")


@pytest.mark.long
def test_an_agent_whose_loop_is_stuck_says_nothing_more(lab: LabProcesses, manager: NotifySocket) -> None:
    options = [*lab.board_options(), "--scripted", "0.1,0.005,8"]
    agent = lab.service("agent", "board", "serve", *options, **watched(manager))
    manager.until("READY=1")
    beats(manager)
    with killed(agent):
        agent.popen.send_signal(signal.SIGUSR1)
        manager.until("X_PLANTED=loop")
        assert manager.is_silent("WATCHDOG=1", SILENCE_S)


@pytest.mark.long
def test_each_line_about_a_run_has_its_name(
    mosquitto_broker: MosquittoBroker, tmp_path: Path, manager: NotifySocket
) -> None:
    """The daemon's and the agent's, on every thread, at the most talkative."""
    with lab_of(mosquitto_broker, tmp_path) as lab:
        lab.simulate("--seed", "5", "--time-scale", "10")
        options = ["--log-level", "debug", "--log-format", "json", "--log-file"]
        daemon_of(lab, manager, *options, str(tmp_path / "daemon.json"))
        manager.until("READY=1")
        agent = lab.agent("--scripted", "0.1,0.005,8", *options, str(tmp_path / "agent.json"))
        agent.says("serves bench")
        done = lab.run(
            "runs", "start", "--config", str(lab.config), "--board", "jetson", "--network", "alexnet", "--json"
        )
        assert done.returncode == 0, done.stderr
        run_id = json.loads(done.stdout)["run_id"]
        assert set(lab.stop()) == {0}
    for name, place, least in (("daemon", "sys", 5), ("agent", "jetson", 2)):
        lines = [json.loads(line) for line in (tmp_path / f"{name}.json").read_text().splitlines()]
        about = [line for line in lines if run_id in line["text"]]
        assert len(about) >= least, lines
        assert not [line for line in about if line["run_id"] != run_id]
        assert all(line["place"] == place for line in lines)
        assert {line["run_id"] for line in lines} <= {run_id, None}
