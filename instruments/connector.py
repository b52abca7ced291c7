"""Connector: makes the sessions of a bench."""

from contextlib import ExitStack
from typing import Protocol

from instruments.connection import Connection
from instruments.prologix_adapter import READ_TIMEOUT_S, PrologixAdapter
from instruments.serial_line import SerialLine
from instruments.visa_connection import VisaConnection
from instruments.visa_session import VisaSession


class Connector(Protocol):
    """Makes sessions. Implementations: `VisaConnector`, `RecordingConnector`, `ReplayingConnector`."""

    def connect(
        self,
        stack: ExitStack,
        resource: str,
        *,
        role: str,
        timeout_s: float,
        gpib_adapter: str | None = None,
        line: SerialLine | None = None,
    ) -> VisaSession:
        """Open a session, and leave on the stack what must be closed after it.

        Args:
            stack: closed by the caller, on the thread that opened it.
            resource: VISA resource name of the instrument.
            role: role of the instrument, such as `oscilloscope`.
            timeout_s: how long one answer may take, in seconds.
            gpib_adapter: VISA resource name of the adapter in front of it; None where there is none.
            line: how a serial port is set; None: as the supply leaves the factory.

        Raises:
            ConnectionFailed: with resource and reason.
        """
        ...


class VisaConnector:
    """Reaches the instruments through PyVISA."""

    def connect(
        self,
        stack: ExitStack,
        resource: str,
        *,
        role: str,
        timeout_s: float,
        gpib_adapter: str | None = None,
        line: SerialLine | None = None,
    ) -> VisaSession:
        """Open a session to an instrument that is there; as the protocol says."""
        connection = visa_connection(
            stack, resource, role=role, timeout_s=timeout_s, gpib_adapter=gpib_adapter, line=line
        )
        return opened_session(stack, connection)


def visa_connection(
    stack: ExitStack,
    resource: str,
    *,
    role: str,
    timeout_s: float,
    gpib_adapter: str | None,
    line: SerialLine | None = None,
) -> VisaConnection:
    """Return a connection that is still to be opened, with its adapter; the adapter's end is left on the stack."""
    adapter = None
    if gpib_adapter is not None:
        adapter = PrologixAdapter(gpib_adapter, read_timeout_s=min(READ_TIMEOUT_S, timeout_s))
        stack.callback(adapter.close)
    return VisaConnection(resource, role=role, timeout_s=timeout_s, adapter=adapter, line=line or SerialLine())


def opened_session(stack: ExitStack, connection: Connection) -> VisaSession:
    """Open a connection and return the session on it; its end is left on the stack.

    Raises:
        ConnectionFailed: with resource and reason.
    """
    connection.open()
    session = VisaSession(connection)
    stack.callback(session.close)
    return session
