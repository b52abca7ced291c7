"""VISA library: the one resource manager of the process, and resources opened so that they are fit to use."""

import contextlib
import functools
import select
import socket
import threading
import time
from typing import Any, cast

import pyvisa

# Here, on the thread that imports this module, and not when a resource is first opened: pyvisa-py's modules import each
# other in a circle and register what they can open, and two workers that open at once would each see half of it.
import pyvisa_py.prologix  # type: ignore[import-untyped]
from pyvisa.resources import MessageBasedResource

from instruments.errors import ConnectionFailed, InstrumentTimeout
from instruments.live_socket import make_live

OPEN_TIMEOUT_S = 5.0
"""How long a connection may take to be made."""
QUIET_S = 0.1
"""A socket from which nothing has come for so long is empty."""
DRAIN_LIMIT_S = 2.0
"""Longest time that one is emptied."""
RECEIVE_BYTES = 65536
"""Bytes taken from a socket at once; pyvisa-py's 4096 makes 49 calls of a 200 kB record."""

# Workers open their instruments at the same time, and a manager made twice at once is not one manager.
_making = threading.Lock()


@functools.cache
def _make_manager() -> pyvisa.ResourceManager:
    return pyvisa.ResourceManager("@py")


def resource_manager() -> pyvisa.ResourceManager:
    """Return the process-wide resource manager, on the pure Python back end; a new one where somebody closed it.

    PyVISA hands the same manager to everybody in a process, so anybody's `close()` closes it for all.
    """
    with _making:
        if not _is_open(_make_manager()):
            _make_manager.cache_clear()
        return _make_manager()


def _is_open(manager: pyvisa.ResourceManager) -> bool:
    try:
        return bool(manager.session)
    except pyvisa.errors.InvalidSession:
        return False


def open_resource(name: str, *, role: str) -> MessageBasedResource:
    """Open a VISA resource by its name; a TCP connection is checked and sends without delay.

    Raises:
        ConnectionFailed: whatever hinders it, with the reason.
    """
    try:
        resource = cast(MessageBasedResource, _open(name))
    except Exception as error:  # pyvisa-py raises bare Exception, ValueError, OSError and VisaIOError alike
        raise ConnectionFailed(f"cannot open {name!r}: {_reason(error)}", instrument=role, operation="open") from error
    try:
        _prepare_socket(resource)
    except OSError as error:
        resource.close()
        raise ConnectionFailed(f"cannot open {name!r}: {_reason(error)}", instrument=role, operation="open") from error
    return resource


def prologix_boards() -> dict[str, Any]:
    """Return the table that pyvisa-py keeps of open Prologix adapters: session by board number."""
    boards: dict[str, Any] = pyvisa_py.prologix.PrologixTCPIPIntfcSession.boards
    return boards


def transport_of(resource: MessageBasedResource) -> Any:
    """Return what pyvisa-py carries a resource's bytes over: a socket, another session, or something of its own."""
    return getattr(_session_of(resource), "interface", None)


def discard_pending(resource: MessageBasedResource, *, role: str) -> None:
    """Throw away what a socket has received and still receives, until it is quiet for a while.

    pyvisa-py's own clear does that too, but has no end where the other side never stops.

    Raises:
        InstrumentTimeout: it is not quiet after `DRAIN_LIMIT_S`.
        OSError: the connection is gone.
    """
    session = _session_of(resource)
    session._pending_buffer.clear()
    connection: socket.socket = session.interface
    end = time.monotonic() + DRAIN_LIMIT_S
    while select.select([connection], [], [], QUIET_S)[0]:
        connection.recv(RECEIVE_BYTES)
        if time.monotonic() > end:
            raise InstrumentTimeout(f"still sends after {DRAIN_LIMIT_S:g} s", instrument=role, operation="drain")


def shut_down(resource: MessageBasedResource) -> None:
    """End the TCP connection under a resource, from any thread; another kind of connection is left."""
    carrier = transport_of(resource)
    connection = getattr(carrier, "sock", carrier)  # VXI-11: the client's socket
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _open(name: str) -> object:
    host = getattr(pyvisa.rname.parse_resource_name(name), "host_address", None)
    if host is not None:
        name_alone = host.partition(",")[0]  # a VXI-11 server that no port mapper knows is `host,port`
        socket.getaddrinfo(name_alone, None)  # a name that does not resolve must not leave pyvisa-py's socket unclosed
    return resource_manager().open_resource(name, open_timeout=round(OPEN_TIMEOUT_S * 1000))


def _prepare_socket(resource: MessageBasedResource) -> None:
    session = _session_of(resource)
    connection = getattr(session, "interface", None)
    if isinstance(connection, socket.socket):
        session.interface = make_live(connection)
        session.max_recv_size = RECEIVE_BYTES


def _session_of(resource: MessageBasedResource) -> Any:
    return cast(Any, resource.visalib).sessions[resource.session]


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
