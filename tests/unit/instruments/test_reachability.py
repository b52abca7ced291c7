"""How far one gets to an address, and what is said about it."""

import errno
import socket
from collections.abc import Iterator

import pytest

from instruments.reachability import Reach, Way, reach_of


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.mark.parametrize(
    "name",
    ["TCPIP0::127.0.0.1::{}::SOCKET", "TCPIP0::127.0.0.1,{}::inst0::INSTR", "PRLGX-TCPIP0::127.0.0.1::{}::INTFC"],
)
def test_what_listens_is_open(listener: socket.socket, name: str) -> None:
    port = listener.getsockname()[1]
    reach = reach_of(name.format(port))
    assert reach == Reach(host="127.0.0.1", port=port, way=Way.OPEN)
    assert reach.problem == reach.remedy == ""


def test_a_port_that_nobody_listens_at_is_refused(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    listener.close()
    reach = reach_of(f"TCPIP0::127.0.0.1::{port}::SOCKET")
    assert reach.way is Way.REFUSED
    assert reach.problem == f"127.0.0.1 is there, but nothing listens at its port {port}"


@pytest.mark.parametrize(
    ("error", "way", "problem", "remedy"),
    [
        (TimeoutError("timed out"), Way.SILENT, "nothing answers at lab.example (port 5025", "ping lab.example"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), Way.NO_ROUTE, "knows no way to lab.example", "one network"),
        (socket.gaierror(-2, "Name or service not known"), Way.UNKNOWN_NAME, "'lab.example' has no address", "numbers"),
        (ConnectionRefusedError(111, "refused"), Way.REFUSED, "nothing listens at its port 5025", "LAN module"),
    ],
)
def test_each_failure_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: OSError, way: Way, problem: str, remedy: str
) -> None:
    def fail(*_: object, **__: object) -> socket.socket:
        raise error

    monkeypatch.setattr(socket, "create_connection", fail)
    reach = reach_of("TCPIP0::lab.example::5025::SOCKET")
    assert reach.way is way
    assert problem in reach.problem
    assert remedy in reach.remedy


@pytest.mark.parametrize(
    ("name", "port"),
    [("TCPIP0::h::inst0::INSTR", 111), ("TCPIP0::h,600::inst0::INSTR", 600), ("TCPIP0::h::5::SOCKET", 5)],
)
def test_vxi11_is_reached_by_its_port_mapper(monkeypatch: pytest.MonkeyPatch, name: str, port: int) -> None:
    def connected(address: tuple[str, int], timeout: float) -> socket.socket:
        assert address == ("h", port)
        return socket.socket()

    monkeypatch.setattr(socket, "create_connection", connected)
    assert reach_of(name).way is Way.OPEN


@pytest.mark.parametrize(
    "name",
    [
        "GPIB0::5::INSTR",
        "USB0::0x0957::0x1796::MY1::0::INSTR",
        "nonsense",
        "TCPIP0::h,many::inst0::INSTR",
        "TCPIP0::h::99999::SOCKET",
        f"TCPIP0::h::{'9' * 5000}::SOCKET",
    ],
)
def test_what_is_no_tcp_cannot_be_tried(name: str) -> None:
    assert reach_of(name).way is Way.NOT_TCP


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_name_that_cannot_be_is_unknown(host: str) -> None:
    assert reach_of(f"TCPIP0::{host}::5025::SOCKET").way is Way.UNKNOWN_NAME
