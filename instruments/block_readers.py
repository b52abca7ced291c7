"""Block readers: where the bytes of a definite-length block come from, a stream or a message read whole."""

import pyvisa
from pyvisa.constants import StatusCode
from pyvisa.resources import MessageBasedResource

from instruments.errors import BadBlock

CHUNK_BYTES = 65536
"""Bytes asked for at once inside a block. Even, so never the odd length of a whole WORD message: with VXI-11 a chunk
of exactly the message's length times out (pyvisa-py #608)."""
MESSAGE_CHUNK_BYTES = 262144
"""The same over VXI-11, where each chunk is a call and an answer: a record of 100,000 WORD points takes one of them,
in two thirds of the time of four. Larger ones gain nothing."""


class StreamReader:
    """Reads exact counts from a stream that does not mark the end of an answer."""

    def __init__(self, visa: MessageBasedResource, *, instrument: str, operation: str) -> None:
        self._visa = visa
        self._instrument = instrument
        self._operation = operation
        self._started = False

    def __call__(self, count: int) -> bytes:
        """Return that many bytes.

        Raises:
            BadBlock: they ended within the block. Silence before its first byte stays VISA's time-out.
        """
        data = bytearray()
        try:
            while len(data) < count:
                data += self._visa.read_bytes(min(count - len(data), CHUNK_BYTES))
                self._started = True
        except pyvisa.errors.VisaIOError as error:
            if not self._started or error.error_code != StatusCode.error_timeout:
                raise
            due = min(count, len(data) + CHUNK_BYTES)
            text = f"block truncated: {len(data)} or more, but fewer than {due} of the {count} bytes due came"
            raise BadBlock(text, instrument=self._instrument, operation=self._operation) from error
        return bytes(data)


class MessageReader:
    """Deals out the bytes of a message that has been read whole."""

    def __init__(self, message: bytes, *, instrument: str, operation: str) -> None:
        self._message = memoryview(message)
        self._instrument = instrument
        self._operation = operation

    def __call__(self, count: int) -> bytes:
        """Return that many bytes.

        Raises:
            BadBlock: the message holds fewer.
        """
        data, self._message = self._message[:count], self._message[count:]
        if len(data) < count:
            text = f"block truncated: {len(data)} of the {count} bytes due came"
            raise BadBlock(text, instrument=self._instrument, operation=self._operation)
        return bytes(data)
