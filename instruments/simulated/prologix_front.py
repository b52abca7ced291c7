"""Prologix-style GPIB-Ethernet adapter with instruments on its bus."""

import asyncio
import re
from dataclasses import dataclass, field

from instruments.simulated.faults import FaultKind
from instruments.simulated.gpib_device import GpibDevice
from instruments.simulated.line_server import LineConnection

VERSION = "Prologix GPIB-ETHERNET Controller version 01.06.06.00"
_ENDED_LINE = re.compile(rb"((?:\x1b[\s\S]|[^\x1b\r\n])*)[\r\n]")
_ESCAPED = re.compile(rb"\x1b([\s\S])")
_ENDINGS = {0: b"\r\n", 1: b"\r", 2: b"\n", 3: b""}
_SETTING_LIMITS = {
    "mode": (0, 1), "auto": (0, 1), "read_tmo_ms": (1, 3000), "eos": (0, 3), "eoi": (0, 1),
    "eot_enable": (0, 1), "eot_char": (0, 255), "savecfg": (0, 1), "lon": (0, 1), "status": (0, 255),
}  # fmt: skip
_BUS_COMMANDS = ("ifc", "loc", "llo")


@dataclass(slots=True)
class AdapterState:
    """The adapter's settings; they outlive a connection, as in the real one."""

    devices: dict[int, GpibDevice]
    """Instruments by primary address."""
    address: int = 0
    """Address that data goes to."""
    line_s: float = 0.0
    """Real seconds for which it is busy with a line."""
    settings: dict[str, int] = field(
        default_factory=lambda: {
            "mode": 1,
            "auto": 0,
            "read_tmo_ms": 200,
            "eos": 0,
            "eoi": 1,
            "eot_enable": 0,
            "eot_char": 0,
            "savecfg": 1,
            "lon": 0,
            "status": 0,
        }
    )
    """Numeric settings by the name of their command."""


class PrologixFront(LineConnection):
    """One connection to the adapter."""

    def __init__(self, state: AdapterState) -> None:
        super().__init__()
        self._state = state
        self._reading_until: float | None = None
        self._free_at = 0.0

    def split(self, received: bytes) -> tuple[list[bytes], bytes]:
        """Split at line ends that are not escaped; escapes stay for `handle`."""
        lines, end = [], 0
        # Matched where the last line ended, never searched: a search would start behind an escape.
        while (match := _ENDED_LINE.match(received, end)) is not None:
            lines.append(match[1])
            end = match.end()
        return lines, received[end:]

    def busy_s(self) -> float:
        """Return the time to wait while a line takes its time, or a read is in progress."""
        if (left_s := self._free_at - self._now()) > 0:
            return left_s
        if self._reading_until is None:
            return 0.0
        return self._try_read(self._reading_until)

    def handle(self, line: bytes) -> None:
        """Execute an adapter command, or send data to the addressed instrument."""
        self._free_at = self._now() + self._state.line_s
        if line.startswith(b"++"):
            self._command(line[2:].decode("ascii", "replace").split())
            return
        device = self._device()
        if device is not None:
            ending = _ENDINGS[self._state.settings["eos"]]
            device.listen(_unescaped(line) + ending, end=self._state.settings["eoi"] == 1, now=self._now())
        if self._state.settings["auto"]:
            self._begin_read()

    def _device(self) -> GpibDevice | None:
        return self._state.devices.get(self._state.address)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _command(self, words: list[str]) -> None:
        name = words[0] if words else ""
        if name in _SETTING_LIMITS:
            self._setting(name, words[1:])
        elif name == "addr":
            self._address(words[1:])
        elif name == "read":
            self._begin_read()
        elif name == "ver":
            self._say(VERSION)
        elif name in ("spoll", "srq", "clr", "trg"):
            self._bus_command(name, words[1:])
        elif name not in _BUS_COMMANDS:
            self._say("Unrecognized command")

    def _setting(self, name: str, values: list[str]) -> None:
        if not values:
            self._say(str(self._state.settings[name]))
            return
        low, high = _SETTING_LIMITS[name]
        value = _whole(values[0])
        if value is not None and low <= value <= high:
            self._state.settings[name] = value
        else:
            self._say("Unrecognized command")

    def _address(self, values: list[str]) -> None:
        if not values:
            self._say(str(self._state.address))
        elif (address := _whole(values[0])) is not None and address <= 30:
            self._state.address = address
        else:
            self._say("Unrecognized command")

    def _bus_command(self, name: str, values: list[str]) -> None:
        address = _whole(values[0]) if values else None
        device = self._state.devices.get(self._state.address if address is None else address)
        if name == "srq":
            polled = [
                d.instrument.status_byte(answer_waiting=d.unread is not None) for d in self._state.devices.values()
            ]
            self._say("1" if any(byte & 64 for byte in polled) else "0")
        elif name == "spoll":
            waiting = device is not None and device.unread is not None
            self._say(str(device.instrument.status_byte(answer_waiting=waiting) if device is not None else 0))
        elif device is not None and name == "clr":
            device.clear()
        elif device is not None:
            device.instrument.trigger()

    def _begin_read(self) -> None:
        device = self._device()
        if device is not None and device.unread is None:
            device.instrument.report(-420)
        self._reading_until = self._now() + self._state.settings["read_tmo_ms"] / 1000.0

    def _try_read(self, until: float) -> float:
        """Deliver the answer if it is there; return how long to wait for it otherwise, zero where it is over."""
        device, now = self._device(), self._now()
        ready = device is not None and device.unread is not None
        if device is not None and ready and device.ready_at <= now:
            self._deliver(device)
            self._reading_until = None
            return 0.0
        if now >= until:
            self._reading_until = None
            return 0.0
        return min(until, device.ready_at if device is not None and ready else until) - now + 1e-4

    def _deliver(self, device: GpibDevice) -> None:
        if device.instrument.faults.take(FaultKind.ADAPTER_SWALLOWS_ANSWER):
            device.unread = None
            return
        settings = self._state.settings
        tail = bytes([settings["eot_char"]]) if settings["eot_enable"] else b""
        self.send((device.unread or b"") + tail)
        device.unread = None

    def _say(self, text: str) -> None:
        self.send(text.encode("ascii") + b"\r\n")


def _whole(word: str) -> int | None:
    """Return a whole number, None where it is none; beyond nine digits Python may refuse, and nothing is meant."""
    return int(word) if word.isdigit() and len(word) <= 9 else None


def _unescaped(line: bytes) -> bytes:
    return _ESCAPED.sub(rb"\1", line)
