"""VXI-11 in front of an instrument: the core and the abort channel (VXI-11 revision 1.0, sections B.4 and B.6).

No port mapper is needed: a client that is told the port (`TCPIP::host,port::inst0::INSTR`) asks none. Service requests
have no channel here: who asks for one is told that the operation is not supported.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from enum import IntEnum, IntFlag

from instruments.simulated.message_exchange import MessageExchange
from instruments.simulated.rpc_server import RpcProgram
from instruments.simulated.scpi_instrument import ScpiInstrument
from instruments.simulated.xdr import XdrReader, opaque, unsigned

DEVICE_NAME = "inst0"
MAX_WRITE_BYTES = 1 << 20
"""Most bytes that one `device_write` may bring."""
POLL_S = 0.001
"""How often a call looks again for what it waits for."""


class DeviceError(IntEnum):
    """Error codes of the core channel (table B.2)."""

    NONE = 0
    NOT_ACCESSIBLE = 3
    INVALID_LINK = 4
    PARAMETER = 5
    NOT_SUPPORTED = 8
    LOCKED_BY_ANOTHER = 11
    NO_LOCK_HELD = 12
    IO_TIMEOUT = 15
    ABORT = 23


class _Flag(IntFlag):
    WAIT_LOCK = 1
    END = 8
    TERMINATION_SET = 128


class _Reason(IntFlag):
    """Why a read ended (table B.3)."""

    COUNT = 1
    CHARACTER = 2
    END = 4


class Link:
    """One client's link to the device."""

    def __init__(self, number: int, exchange: MessageExchange) -> None:
        self.number = number
        self.exchange = exchange
        self.abort = asyncio.Event()


class Vxi11Device:
    """What all connections to one instrument share: its links and its lock."""

    def __init__(self, instrument: ScpiInstrument) -> None:
        self.instrument = instrument
        self.abort_port = 0
        self._links: dict[int, Link] = {}
        self._numbers = itertools.count(1)
        self._holder: int | None = None

    def open(self) -> Link:
        """Return a new link."""
        link = Link(next(self._numbers), MessageExchange(self.instrument, max_message_bytes=MAX_WRITE_BYTES))
        self._links[link.number] = link
        return link

    def close(self, number: int) -> bool:
        """Destroy a link and what it has locked; return whether there was one."""
        self.unlock(number)
        return self._links.pop(number, None) is not None

    def link(self, number: int) -> Link | None:
        """Return a link by its number."""
        return self._links.get(number)

    def lock(self, number: int) -> bool:
        """Give a link the lock, unless another one has it; return whether it has it now."""
        if self._holder is None:
            self._holder = number
        return self._holder == number

    def unlock(self, number: int) -> bool:
        """Take the lock from a link; return whether it had it."""
        held = self._holder == number
        if held:
            self._holder = None
        return held

    def open_to(self, number: int) -> bool:
        """Return whether no other link holds the lock."""
        return self._holder in (None, number)


class Vxi11Abort(RpcProgram):
    """The abort channel: ends what a link waits for."""

    number, version = 0x0607B0, 1

    def __init__(self, device: Vxi11Device) -> None:
        super().__init__()
        self._device = device
        self.procedures |= {1: self._abort}

    async def _abort(self, call: XdrReader) -> bytes:
        link = self._device.link(call.signed())
        if link is None:
            return unsigned(DeviceError.INVALID_LINK)
        link.abort.set()
        return unsigned(DeviceError.NONE)


class Vxi11Core(RpcProgram):
    """The core channel of one connection."""

    number, version = 0x0607AF, 1

    def __init__(self, device: Vxi11Device) -> None:
        super().__init__()
        self._device = device
        self._own: set[int] = set()
        self.procedures |= {
            10: self._create_link,
            11: self._write,
            12: self._read,
            13: self._read_status,
            14: self._generic(lambda link: link.exchange.instrument.trigger()),
            15: self._generic(lambda link: link.exchange.clear(), waits_for_message=False),
            16: self._generic(lambda _: None),
            17: self._generic(lambda _: None),
            18: self._lock,
            19: self._unlock,
            20: _not_supported,
            22: _no_command,
            23: self._destroy_link,
            25: _not_supported,
            26: _not_supported,
        }

    def closed(self) -> None:
        """Destroy the links that the client left open."""
        for number in self._own:
            self._device.close(number)

    async def _create_link(self, call: XdrReader) -> bytes:
        call.signed()  # the client's own number for itself
        wants_lock, wait_ms, name = call.boolean(), call.unsigned(), call.opaque()
        if name.decode("ascii", "replace").lower() != DEVICE_NAME:
            return unsigned(DeviceError.NOT_ACCESSIBLE) + unsigned(0) * 3
        link = self._device.open()
        self._own.add(link.number)
        if wants_lock and not await self._until(lambda: self._device.lock(link.number), wait_ms, link):
            self._device.close(link.number)
            return unsigned(DeviceError.LOCKED_BY_ANOTHER) + unsigned(0) * 3
        described = (DeviceError.NONE, link.number, self._device.abort_port, MAX_WRITE_BYTES)
        return b"".join(unsigned(value) for value in described)

    async def _destroy_link(self, call: XdrReader) -> bytes:
        number = call.signed()
        self._own.discard(number)
        return unsigned(DeviceError.NONE if self._device.close(number) else DeviceError.INVALID_LINK)

    async def _write(self, call: XdrReader) -> bytes:
        number, io_ms, lock_ms, flags, data = (
            call.signed(), call.unsigned(), call.unsigned(), _Flag(call.unsigned()), call.opaque(),
        )  # fmt: skip
        link, error = await self._admitted(number, flags, lock_ms)
        if link is None:
            return unsigned(error) + unsigned(0)
        # a blocking command holds the bus: the device takes no byte before it is done
        if not await self._until(lambda: not self._blocked(link), io_ms, link):
            return unsigned(_gave_up(link)) + unsigned(0)
        link.exchange.listen(data, end=_Flag.END in flags)
        return unsigned(DeviceError.NONE) + unsigned(len(data))

    async def _read(self, call: XdrReader) -> bytes:
        number, at_most, io_ms, lock_ms, flags, character = (
            call.signed(), call.unsigned(), call.unsigned(), call.unsigned(), _Flag(call.unsigned()), call.signed(),
        )  # fmt: skip
        link, error = await self._admitted(number, flags, lock_ms)
        if link is None:
            return unsigned(error) + unsigned(0) + opaque(b"")
        if link.exchange.idle:
            link.exchange.unterminated()
        if not await self._until(lambda: self._answered(link), io_ms, link):
            return unsigned(_gave_up(link)) + unsigned(0) + opaque(b"")
        until = character & 0xFF if _Flag.TERMINATION_SET in flags else None
        piece = link.exchange.read(at_most=at_most, until=until)
        if piece is None:
            return unsigned(DeviceError.PARAMETER) + unsigned(0) + opaque(b"")
        if link.exchange.dropped:
            raise ConnectionAbortedError("a fault drops the connection here")
        reason = _Reason.END if piece.end else _Reason(0)
        reason |= _Reason.COUNT if len(piece.data) == at_most else _Reason(0)
        reason |= _Reason.CHARACTER if until is not None and piece.data[-1] == until else _Reason(0)
        return unsigned(DeviceError.NONE) + unsigned(reason) + opaque(piece.data)

    async def _read_status(self, call: XdrReader) -> bytes:
        link, error = await self._generic_link(call)
        if link is None:
            return unsigned(error) + unsigned(0)
        exchange = link.exchange
        status = exchange.instrument.status_byte(answer_waiting=exchange.answer_waiting)
        return unsigned(DeviceError.NONE) + unsigned(status)

    def _generic(
        self, action: Callable[[Link], None], *, waits_for_message: bool = True
    ) -> Callable[[XdrReader], Awaitable[bytes]]:
        async def perform(call: XdrReader) -> bytes:
            link, error = await self._generic_link(call)
            if link is None:
                return unsigned(error)
            if waits_for_message and self._blocked(link):
                return unsigned(DeviceError.IO_TIMEOUT)
            action(link)
            return unsigned(DeviceError.NONE)

        return perform

    async def _generic_link(self, call: XdrReader) -> tuple[Link | None, DeviceError]:
        number, flags, lock_ms, _ = call.signed(), _Flag(call.unsigned()), call.unsigned(), call.unsigned()
        return await self._admitted(number, flags, lock_ms)

    async def _lock(self, call: XdrReader) -> bytes:
        number, flags, lock_ms = call.signed(), _Flag(call.unsigned()), call.unsigned()
        link = self._device.link(number)
        if link is None:
            return unsigned(DeviceError.INVALID_LINK)
        wait_ms = lock_ms if _Flag.WAIT_LOCK in flags else 0
        held = await self._until(lambda: self._device.lock(number), wait_ms, link)
        return unsigned(DeviceError.NONE if held else DeviceError.LOCKED_BY_ANOTHER)

    async def _unlock(self, call: XdrReader) -> bytes:
        number = call.signed()
        if self._device.link(number) is None:
            return unsigned(DeviceError.INVALID_LINK)
        return unsigned(DeviceError.NONE if self._device.unlock(number) else DeviceError.NO_LOCK_HELD)

    async def _admitted(self, number: int, flags: _Flag, lock_ms: int) -> tuple[Link | None, DeviceError]:
        """Return the link of a call once no other one holds the lock, or why there is none."""
        link = self._device.link(number)
        if link is None:
            return None, DeviceError.INVALID_LINK
        link.abort.clear()
        wait_ms = lock_ms if _Flag.WAIT_LOCK in flags else 0
        if not await self._until(lambda: self._device.open_to(number), wait_ms, link):
            return None, DeviceError.LOCKED_BY_ANOTHER
        return link, DeviceError.NONE

    def _blocked(self, link: Link) -> bool:
        link.exchange.advance()
        return link.exchange.instrument.blocked

    def _answered(self, link: Link) -> bool:
        link.exchange.advance()
        return link.exchange.answer_waiting

    async def _until(self, condition: Callable[[], bool], wait_ms: int, link: Link) -> bool:
        """Wait for a condition, but no longer than a time or an abort; return whether it holds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_ms / 1000.0
        while not condition():
            if link.abort.is_set() or loop.time() >= deadline:
                return False
            await asyncio.sleep(POLL_S)
        return True


def _gave_up(link: Link) -> DeviceError:
    return DeviceError.ABORT if link.abort.is_set() else DeviceError.IO_TIMEOUT


async def _not_supported(_: XdrReader) -> bytes:
    return unsigned(DeviceError.NOT_SUPPORTED)


async def _no_command(_: XdrReader) -> bytes:
    return unsigned(DeviceError.NOT_SUPPORTED) + opaque(b"")
