"""How long the transfer of a record takes, over loopback, beside PyVISA's own way of reading it.

    python benchmarks/transfer.py [--repeats N] [--json]

The instrument is a server in a process of its own that answers from memory, so that the numbers are those of the
connection and of the driver, not of a simulation. It is reached by a raw socket, and over VXI-11 by the simulated
oscilloscope's own front, which answers as fast as it can (no latency). The ratio is joulebench to PyVISA's
`query_binary_values` with the settings that it comes with, in the same run.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import socket
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pyvisa

from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import ChannelSettings, OscilloscopeSettings
from instruments.simulated.faults import Faults, Role
from instruments.simulated.rpc_server import RpcServer
from instruments.simulated.scpi_instrument import Answer, ScpiInstrument
from instruments.simulated.vxi11_front import DEVICE_NAME, Vxi11Abort, Vxi11Core, Vxi11Device
from instruments.visa_session import VisaSession
from metrology.trace import Unit

POINTS = 100_000
SEED = 1605
CODES, RANDOM = (f"record of {POINTS} WORD points, {name}" for name in ("8-bit codes", "random bytes"))
SOURCES = (("CHANnel1", CODES), ("CHANnel2", RANDOM))
CAPTURE = "capture: preambles, codes and pod"
TARGETS_MS = {"raw socket": {CODES: 5.0, CAPTURE: 40.0}, "VXI-11": {CODES: 10.0, RANDOM: 10.0, CAPTURE: 40.0}}
"""Longest median of this project's way, by transport and transfer."""
IDENTITY = b"AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830\n"
FIXED = {
    "*IDN?": IDENTITY,
    ":SYSTem:ERRor?": b'+0,"No error"\n',
    ":OPERegister:CONDition?": b"+0\n",
    ":TER?": b"+0\n",
    ":ACQuire:SRATe?": b"+5.0E+04\n",
    ":WAVeform:POINts?": b"+%d\n" % POINTS,
}
"""Answers of a stopped oscilloscope, whatever is set."""


class RecordServer:
    """Answers an oscilloscope's questions from memory; keeps what is set, so that it can be read back."""

    def __init__(self) -> None:
        rng = np.random.default_rng(SEED)
        eight_bit = rng.integers(90, 160, POINTS).astype("<u2") * 256
        every_byte = rng.integers(0, 65536, POINTS).astype("<u2")
        pod = (np.arange(POINTS) >= POINTS // 10).astype("u1")
        self._blocks = {"CHANnel1": _block(eight_bit), "CHANnel2": _block(every_byte), "POD1": _block(pod)}
        self._kept: dict[str, str] = {}
        self._source = "CHANnel1"

    def answer(self, message: str) -> bytes | None:
        """Return the bytes that answer a message, None for a command."""
        if message.startswith(":WAVeform:SOURce "):
            self._source = message.partition(" ")[2]
        if message == ":WAVeform:DATA?":
            return self._blocks[self._source]
        if message == ":WAVeform:PREamble?":
            data_format = 0 if self._source == "POD1" else 1
            return b"+%d,+0,+%d,+1,+2.0E-005,-2.0E-001,+0,+3.14E-005,+6.0E-001,+32768\n" % (data_format, POINTS)
        return self._other(message)

    def _other(self, message: str) -> bytes | None:
        if message in FIXED:
            return FIXED[message]
        if message.endswith("?"):
            return f"{self._kept.get(message[:-1], '1')}\n".encode()
        header, _, value = message.partition(" ")
        self._kept[header] = value
        return None


def _block(values: np.ndarray[Any, Any]) -> bytes:
    data = values.tobytes()
    return b"#8%08d" % len(data) + data + b"\n"


class RecordInstrument(ScpiInstrument):
    """The same instrument, as the simulated fronts know one."""

    def __init__(self) -> None:
        super().__init__(role=Role.OSCILLOSCOPE, identity="", queue_depth=1, faults=Faults())
        self._server = RecordServer()

    def receive(self, message: bytes) -> Answer | None:
        """Answer one message from memory."""
        data = self._server.answer(message.decode("ascii"))
        return None if data is None else Answer(data, holds_block=data.startswith(b"#"))


def serve_vxi11(ready: Connection) -> None:
    """Serve VXI-11 until the process is ended."""
    asyncio.run(_serve_vxi11(ready))


async def _serve_vxi11(ready: Connection) -> None:
    device = Vxi11Device(RecordInstrument())
    async with (
        RpcServer(lambda: Vxi11Abort(device), host="127.0.0.1") as abort,
        RpcServer(lambda: Vxi11Core(device), host="127.0.0.1") as core,
    ):
        device.abort_port = abort.port
        ready.send(f"TCPIP0::127.0.0.1,{core.port}::{DEVICE_NAME}::INSTR")
        await asyncio.Event().wait()


def serve_socket(ready: Connection) -> None:
    """Serve each connection from a thread of its own until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(f"TCPIP0::127.0.0.1::{listener.getsockname()[1]}::SOCKET")
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_converse, args=(client, RecordServer()), daemon=True).start()


def _converse(client: socket.socket, server: RecordServer) -> None:
    pending = b""
    with client:
        while data := client.recv(65536):
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                answer = server.answer(line.decode("ascii"))
                if answer is not None:
                    client.sendall(answer)


def medians_ms(actions: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Return the median duration of each action in milliseconds, after two that do not count.

    They take turns, so that what else the computer does falls on all alike.
    """
    durations_ms: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(repeats + 2):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if number >= 2:
                durations_ms[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in durations_ms.items()}


def open_pyvisa(resource: str) -> Any:
    """Open a resource with PyVISA as its documentation has it."""
    instrument: Any = pyvisa.ResourceManager("@py").open_resource(resource)
    instrument.write_termination = "\n"
    if resource.endswith("SOCKET"):
        instrument.read_termination = "\n"  # without it a read on a socket never ends
    return instrument


def measure(serve: Callable[[Connection], None], repeats: int) -> dict[str, dict[str, float]]:
    """Start a server in a process of its own, and measure both ways of reading from it; return medians by transfer."""
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sending,), daemon=True)
    server.start()
    try:
        return measure_at(receiving.recv(), repeats)
    finally:
        server.terminate()
        server.join()


def measure_at(resource: str, repeats: int) -> dict[str, dict[str, float]]:
    """Measure this project's session and driver beside PyVISA's own `query_binary_values`."""
    session = VisaSession.open(resource, role="oscilloscope")
    instrument = open_pyvisa(resource)
    oscilloscope = Oscilloscope(session)
    current = ChannelSettings(number=1, scale_per_div=0.2, offset=0.6, probe_ratio=10.0, unit=Unit.AMPERE)
    oscilloscope.configure(OscilloscopeSettings(current=current))
    both = {"joulebench": lambda: session.query("*IDN?"), "pyvisa": lambda: instrument.query("*IDN?")}
    results = {"query, small answer": medians_ms(both, repeats * 5)}
    for source, name in SOURCES:
        for write in (session.write, instrument.write):
            write(f":WAVeform:SOURce {source}")
        both = {
            "joulebench": lambda: session.query_block(":WAVeform:DATA?", "<u2"),
            "pyvisa": lambda: instrument.query_binary_values(":WAVeform:DATA?", datatype="H", container=np.array),
        }
        results[name] = medians_ms(both, repeats)
    results[CAPTURE] = medians_ms({"joulebench": oscilloscope.read_capture}, repeats)
    instrument.close()
    session.close()
    return results


def print_tables(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print a table for each transport, in milliseconds."""
    print(f"medians in ms, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, loopback")
    for transport, rows in results.items():
        print(f"{transport:52}{'joulebench':>12}{'PyVISA':>12}{'ratio':>8}{'target':>10}")
        for name, medians in rows.items():
            ours, theirs = medians["joulebench"], medians.get("pyvisa")
            other, ratio = ("-", "-") if theirs is None else (f"{theirs:.2f}", f"{ours / theirs:.2f}")
            target = TARGETS_MS[transport].get(name)
            bound = "" if target is None else f"<= {target:g}"
            print(f"  {name:50}{ours:>12.2f}{other:>12}{ratio:>8}{bound:>10}")


def main() -> None:
    """Measure both transports, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=50, help="how often each transfer is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    options = parser.parse_args()
    servers = {"raw socket": serve_socket, "VXI-11": serve_vxi11}
    results = {transport: measure(serve, options.repeats) for transport, serve in servers.items()}
    if options.json:
        print(json.dumps(results))
    else:
        print_tables(results)


if __name__ == "__main__":
    main()
