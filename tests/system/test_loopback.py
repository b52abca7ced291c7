"""Nothing listens beyond this computer unless it is told to: the sockets of every process, as they are."""

from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import psutil
import pytest

from tests.broker_credentials import BrokerCredentials
from tests.mosquitto import MosquittoBroker, free_port
from tests.shipped_broker import ShippedBroker
from tests.system.lab_processes import LabProcesses, lab_of

pytestmark = [pytest.mark.system, pytest.mark.mosquitto]


@pytest.fixture
def lab(mosquitto_broker: MosquittoBroker, tmp_path: Path) -> Iterator[LabProcesses]:
    with lab_of(mosquitto_broker, tmp_path) as lab:
        yield lab


def listening(pid: int) -> dict[int, str]:
    """Return where a process listens: port and address."""
    sockets = psutil.Process(pid).net_connections(kind="inet")
    return {one.laddr.port: one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN or not one.raddr}


def test_daemon_simulator_and_agent_listen_on_the_loopback_alone(lab: LabProcesses) -> None:
    simulator, metrics = lab.simulate(), free_port()
    daemon = lab.daemon(text=f"[http]\nport = {metrics}\n")
    agent = lab.agent("--scripted", "0.1,0.1")
    agent.says("serves bench")
    found = {process.name: listening(process.popen.pid) for process in (simulator, daemon, agent)}
    assert len(found["simulate"]) >= 4, "else this looks at nothing"
    assert metrics in found["daemon"]
    assert found["agent"] == {}
    assert all(ip_address(address).is_loopback for sockets in found.values() for address in sockets.values()), found


def test_the_shipped_broker_listens_on_the_loopback_alone(tmp_path_factory: pytest.TempPathFactory) -> None:
    credentials = BrokerCredentials(tmp_path_factory.mktemp("credentials"))
    credentials.password("board")
    broker = ShippedBroker(tmp_path_factory.mktemp("broker"), credentials)
    broker.start()
    try:
        assert broker._process is not None
        assert listening(broker._process.pid) == dict.fromkeys(broker.ports.values(), "127.0.0.1")
    finally:
        broker.stop()
