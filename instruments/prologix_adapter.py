"""Prologix-style adapter: the way to GPIB instruments over TCP, and its traps."""

import contextlib
import socket

import pyvisa
from pyvisa.resources import MessageBasedResource

from instruments.errors import ConnectionFailed, InstrumentError
from instruments.live_socket import is_live
from instruments.visa_library import open_resource, prologix_boards, transport_of

READ_TIMEOUT_S = 3.0
"""Longest time an adapter waits for its instrument; pyvisa-py's 50 ms loses every answer that takes longer."""
MARGIN_S = 0.5
"""How much longer than the adapter this side waits, so that the adapter gives up first and stays in step."""


class PrologixAdapter:
    """A GPIB-Ethernet adapter. While it is open, resources `GPIB<board>::<address>::INSTR` go through it.

    Its messages are not atomic between threads: every instrument behind one adapter shares one worker.
    """

    def __init__(self, resource: str, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        if not 0.001 <= read_timeout_s <= READ_TIMEOUT_S:
            text = f"read_timeout_s must lie in 0.001..{READ_TIMEOUT_S:g} s, got {read_timeout_s!r}"
            raise InstrumentError(text, instrument="gpib_adapter")
        self.resource = resource
        self.read_timeout_s = read_timeout_s
        self._interface: MessageBasedResource | None = None

    @property
    def board(self) -> str:
        """Board number in the resource name, which the instruments' GPIB resource names repeat."""
        try:
            return str(getattr(pyvisa.rname.parse_resource_name(self.resource), "board"))  # noqa: B009
        except (ValueError, AttributeError, pyvisa.rname.InvalidResourceName) as error:
            text = f"resource must look like 'PRLGX-TCPIP0::host::1234::INTFC', got {self.resource!r}"
            raise ConnectionFailed(text, instrument="gpib_adapter", operation="open") from error

    @property
    def interface(self) -> MessageBasedResource:
        """The adapter's own VISA resource, which carries the bytes and owns the time-out of its instruments."""
        if self._interface is None:
            raise ConnectionFailed("the adapter is closed", instrument="gpib_adapter", operation=self.resource)
        return self._interface

    @property
    def opened(self) -> MessageBasedResource | None:
        """The same, None while it is closed."""
        return self._interface

    def open(self) -> None:
        """Open the connection and take the adapter's settings over; a live connection is kept.

        Raises:
            ConnectionFailed: no way to the adapter, or its board number is taken by another one.
        """
        if self._is_live():
            return
        self.close()
        self._refuse_taken_board()
        try:
            self._interface = open_resource(self.resource, role="gpib_adapter")
        except ConnectionFailed:
            self._forget_half_open()
            raise
        self._configure(self._interface)

    def version(self) -> str:
        """Get what the adapter says of itself; nothing is sent to the bus.

        Raises:
            ConnectionFailed: it is closed, or does not answer: it may be no such adapter.
        """
        interface, session = self.interface, prologix_boards()[self.board]
        try:
            session.write_oob(b"++ver\n")
            # Or reading would send `++read`, and whatever instrument is addressed reports that it has nothing to say.
            session.plus_plus_read = False
            answer = interface.read_raw()
        except (OSError, pyvisa.errors.Error) as error:
            text = f"no answer ({error})"
            raise ConnectionFailed(text, instrument="gpib_adapter", operation="++ver") from error
        return answer.decode("ascii", "replace").strip()

    def close(self) -> None:
        """Close the connection; safe to call again."""
        interface, self._interface = self._interface, None
        if interface is not None:
            with contextlib.suppress(pyvisa.errors.Error, OSError):
                interface.close()

    def _configure(self, interface: MessageBasedResource) -> None:
        interface.timeout = (self.read_timeout_s + MARGIN_S) * 1000.0
        try:
            interface.write_raw(f"++read_tmo_ms {round(self.read_timeout_s * 1000)}\n".encode())
        except (OSError, pyvisa.errors.Error) as error:
            self.close()
            raise ConnectionFailed(str(error), instrument="gpib_adapter", operation="++read_tmo_ms") from error

    def _is_live(self) -> bool:
        if self._interface is None:
            return False
        connection = transport_of(self._interface)
        return is_live(connection) if isinstance(connection, socket.socket) else True

    def _refuse_taken_board(self) -> None:
        if self.board in prologix_boards():
            text = f"board {self.board} is taken by another adapter in this process; number them PRLGX-TCPIP1, 2, ..."
            raise ConnectionFailed(text, instrument="gpib_adapter", operation=self.resource)

    def _forget_half_open(self) -> None:
        # pyvisa-py enters an adapter in its table before it has spoken to it, and leaves it there when that fails.
        session = prologix_boards().pop(self.board, None)
        connection = getattr(session, "interface", None)
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.close()
