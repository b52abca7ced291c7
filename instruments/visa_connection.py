"""VISA connection: an open resource that is known to be in step, or is brought back into step before its next use."""

import contextlib

import pyvisa
from pyvisa.constants import ResourceAttribute
from pyvisa.resources import MessageBasedResource, SerialInstrument, TCPIPInstrument, TCPIPSocket

from instruments import serial_line
from instruments.block_readers import CHUNK_BYTES, MESSAGE_CHUNK_BYTES, MessageReader, StreamReader
from instruments.connection import Link
from instruments.definite_block import read_block
from instruments.errors import ConnectionFailed
from instruments.prologix_adapter import PrologixAdapter
from instruments.serial_line import SerialLine
from instruments.visa_library import discard_pending, open_resource, shut_down


class VisaConnection:
    """The way to one instrument, over a socket, a Prologix adapter, VXI-11, GPIB, USB or RS-232."""

    def __init__(
        self, resource: str, *, role: str, timeout_s: float, adapter: PrologixAdapter | None, line: SerialLine
    ) -> None:
        self.resource = resource
        self.role = role
        self.link = Link.CLOSED
        self._timeout_s = timeout_s
        self._adapter = adapter
        self._line = line
        self._visa: MessageBasedResource | None = None

    @property
    def wait_s(self) -> float:
        """How long one answer may take; behind an adapter it is the adapter that waits."""
        return self._timeout_s if self._adapter is None else self._adapter.read_timeout_s

    @property
    def is_serial(self) -> bool:
        """Whether it is a serial line, where an instrument must be told that it is remote."""
        return isinstance(self._visa, SerialInstrument)

    def open(self) -> None:
        """Open the adapter where there is one, then the instrument.

        Raises:
            ConnectionFailed: with resource and reason.
        """
        if self._adapter is not None:
            self._adapter.open()
        self._visa = open_resource(self.resource, role=self.role)
        if self._adapter is None:
            self._visa.timeout = self._timeout_s * 1000.0
        if isinstance(self._visa, TCPIPSocket):
            self._visa.read_termination = "\n"
        if isinstance(self._visa, SerialInstrument):
            self._prepare_serial(self._visa)
        self.link = Link.GOOD

    def break_off(self) -> None:
        """End the TCP connection under whoever reads from it: a read to which bytes only trickle has no time-out."""
        carrier = self._visa if self._adapter is None else self._adapter.opened
        if carrier is not None:
            shut_down(carrier)

    def close(self) -> None:
        """Close the instrument's resource; safe to call again. An adapter stays open: its owner closes it."""
        self.link = Link.CLOSED
        self._disconnect()

    def in_step(self) -> MessageBasedResource:
        """Return the resource, brought back into step if the last exchange failed.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        if self.link is Link.OUT_OF_STEP:
            self._resynchronise()
        elif self.link is Link.LOST:
            self._reconnect()
        if self._visa is None:
            raise ConnectionFailed("the session is closed", instrument=self.role, operation=self.resource)
        return self._visa

    def mend(self) -> None:
        """Bring it back into step where the last exchange failed.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        self.in_step()

    def drain(self) -> bool:
        """Throw away what still comes over a socket, or through an adapter, until it is quiet for 0.1 s.

        Raises:
            InstrumentTimeout: it never is.
            OSError: the connection is gone.
        """
        stream = self._stream()
        if stream is None:
            return False
        discard_pending(stream, role=self.role)
        self.link = Link.GOOD
        return True

    def clear(self) -> bool:
        """Clear the instrument; a plain socket has no such thing."""
        if self._visa is None or self.link is Link.LOST or isinstance(self._visa, TCPIPSocket):
            return False
        self._clear_device(self._visa)
        return True

    def write(self, message: bytes) -> None:
        """Send bytes; raises what VISA raises, too.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        self.in_step().write_raw(message)

    def read(self) -> bytes:
        """Return one answer with its end; raises what VISA raises, too.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        return self.in_step().read_raw()

    def read_within(self, wait_s: float) -> bytes:
        """Return one answer with its end, for which this long is waited; raises what VISA raises, too.

        Raises:
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        visa = self.in_step()
        if self._adapter is not None:
            return visa.read_raw()  # it is the adapter that waits, as long as it was told to
        try:
            visa.timeout = wait_s * 1000.0
            return visa.read_raw()
        finally:
            visa.timeout = self._timeout_s * 1000.0

    def read_block(self, operation: str) -> bytes:
        """Return the bytes of the definite-length block that comes next.

        Raises:
            BadBlock: it is truncated or garbled.
            ConnectionFailed: it is closed, or cannot be reached again.
        """
        visa = self.in_step()
        if self._adapter is None and not isinstance(visa, TCPIPSocket):
            # These transports mark the end of an answer; reading part of one is not safe on all of them.
            chunk_bytes = MESSAGE_CHUNK_BYTES if isinstance(visa, TCPIPInstrument) else CHUNK_BYTES
            message = MessageReader(visa.read_raw(chunk_bytes), instrument=self.role, operation=operation)
            return read_block(message, instrument=self.role, operation=operation)
        stream = visa if self._adapter is None else self._adapter.interface
        # Newlines are data inside a block, and looking for them costs up to a second a record.
        stream.set_visa_attribute(ResourceAttribute.termchar_enabled, False)
        try:
            reader = StreamReader(visa, instrument=self.role, operation=operation)
            return read_block(reader, instrument=self.role, operation=operation)
        finally:
            stream.set_visa_attribute(ResourceAttribute.termchar_enabled, True)

    def _prepare_serial(self, port: SerialInstrument) -> None:
        try:
            self._line.apply(port, role=self.role)
        except ConnectionFailed:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        visa, self._visa = self._visa, None
        if visa is not None:
            with contextlib.suppress(pyvisa.errors.Error, OSError):
                visa.close()

    def _resynchronise(self) -> None:
        # A socket has no device clear: only a fresh connection is sure to hold no late answer.
        if self._visa is None or isinstance(self._visa, TCPIPSocket):
            self._reconnect()
            return
        try:
            self._clear_device(self._visa)
        except (pyvisa.errors.Error, OSError):
            self._reconnect()

    def _clear_device(self, visa: MessageBasedResource) -> None:
        if isinstance(visa, SerialInstrument):
            serial_line.clear(visa)
        else:
            visa.clear()
        self.link = Link.GOOD

    def _stream(self) -> MessageBasedResource | None:
        """Return what carries answers as a stream of bytes, of which some may be left over."""
        if self._visa is None or self.link is Link.LOST:
            return None
        if self._adapter is not None:
            return self._adapter.interface
        return self._visa if isinstance(self._visa, TCPIPSocket) else None

    def _reconnect(self) -> None:
        self._disconnect()
        self.link = Link.LOST
        self.open()
