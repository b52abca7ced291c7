"""Reachability: whether anything listens where a VISA resource name points, and what to look at where nothing does."""

import errno
import socket
from dataclasses import dataclass
from enum import StrEnum

import pyvisa

from instruments.address import text_to_port

PORT_MAPPER = 111
"""TCP port of the port mapper, which tells where a VXI-11 instrument listens."""
CONNECT_S = 1.5
"""How long a TCP connection may take to be made: a local network needs a thousandth of it."""


class Way(StrEnum):
    """How far one gets."""

    OPEN = "open"
    """Something listens."""
    REFUSED = "refused"
    """The computer or instrument is there, and nothing listens at that port."""
    SILENT = "silent"
    """Nothing answers at the address."""
    NO_ROUTE = "no_route"
    """This computer knows no way to the address."""
    UNKNOWN_NAME = "unknown_name"
    """The host name has no address."""
    NOT_TCP = "not_tcp"
    """USB, GPIB or serial: there is nothing to connect to beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Where a resource name points, and how far one gets."""

    host: str
    """Host name or address; empty where the way is not TCP."""
    port: int
    """TCP port; 0 where the way is not TCP."""
    way: Way
    """How far one gets."""

    @property
    def problem(self) -> str:
        """What is wrong, in one sentence; empty where something listens or the way is not TCP."""
        return {
            Way.REFUSED: f"{self.host} is there, but nothing listens at its port {self.port}",
            Way.SILENT: f"nothing answers at {self.host} (port {self.port}, {CONNECT_S:g} s)",
            Way.NO_ROUTE: f"this computer knows no way to {self.host}",
            Way.UNKNOWN_NAME: f"the name {self.host!r} has no address",
        }.get(self.way, "")

    @property
    def remedy(self) -> str:
        """What to do about it; empty where something listens or the way is not TCP."""
        return {
            Way.REFUSED: _PORT_REMEDIES.get(self.port, "is the port right, and is whatever serves it running?"),
            Way.SILENT: "is it switched on and its network cable in? Compare the address with its own network page, "
            f"then `ping {self.host}`; a firewall between may drop what you send",
            Way.NO_ROUTE: "is this computer's network cable in, and are both in one network (address and mask)?",
            Way.UNKNOWN_NAME: "correct the name, or give the address in numbers",
        }.get(self.way, "")


_PORT_REMEDIES = {
    PORT_MAPPER: "VXI-11 needs the port mapper (111): is this the oscilloscope, and is VXI-11 on in its I/O settings? "
    "Or take its raw socket, port 5025",
    5025: "is this the oscilloscope, and is its LAN module in and the SCPI socket on (Utility > I/O)? "
    "It serves few connections at once: close other programs that hold one",
    1883: "is the broker running (`systemctl status mosquitto`)? Since its version 2 mosquitto serves other "
    "computers only with a `listener 1883` in its configuration",
    1234: "is this the GPIB adapter? A Prologix-style adapter listens at 1234 and takes one client at a time: "
    "close other programs, then switch it off and on",
}


def reach_of(resource: str, *, deadline_s: float = CONNECT_S) -> Reach:
    """Find out whether anything listens where a VISA resource name points; sends nothing.

    Args:
        resource: VISA resource name.
        deadline_s: how long the connection may take to be made, in seconds.
    """
    target = _target(resource)
    if target is None:
        return Reach(host="", port=0, way=Way.NOT_TCP)
    return port_reach(*target, deadline_s=deadline_s)


def port_reach(host: str, port: int, *, deadline_s: float = CONNECT_S) -> Reach:
    """Find out whether anything listens at a TCP port; sends nothing.

    Args:
        host: name or address.
        port: TCP port.
        deadline_s: how long the connection may take to be made, in seconds.
    """
    return Reach(host=host, port=port, way=_way(host, port, deadline_s))


def _target(resource: str) -> tuple[str, int] | None:
    try:
        name = pyvisa.rname.parse_resource_name(resource)
    except (ValueError, pyvisa.rname.InvalidResourceName):
        return None
    host = getattr(name, "host_address", None)
    if host is None:
        return None
    address, _, core_port = str(host).partition(",")  # a VXI-11 server that no port mapper knows is `host,port`
    port = text_to_port(core_port or str(getattr(name, "port", None) or PORT_MAPPER))
    return None if port is None else (address, port)


def _way(host: str, port: int, deadline_s: float) -> Way:
    try:
        socket.create_connection((host, port), timeout=deadline_s).close()
    except (socket.gaierror, UnicodeError):  # a name that no name server would be asked for
        return Way.UNKNOWN_NAME
    except ConnectionRefusedError:
        return Way.REFUSED
    except OSError as error:
        return Way.NO_ROUTE if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) else Way.SILENT
    return Way.OPEN
