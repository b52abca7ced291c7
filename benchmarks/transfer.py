"""How long the transfer of a record takes, over loopback, beside PyVISA's own way of reading it.

    python benchmarks/transfer.py [--repeats N] [--json]

The instrument is a server in a process of its own that answers from memory, so that the numbers are those of the
connection and of the driver, not of a simulation.
"""

import argparse
import json
import multiprocessing
import os
import platform
import socket
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pyvisa

from instruments.oscilloscope import Oscilloscope
from instruments.oscilloscope_settings import ChannelSettings, OscilloscopeSettings
from instruments.visa_session import VisaSession
from metrology.trace import Unit

POINTS = 100_000
SEED = 1605
IDENTITY = b"AGILENT TECHNOLOGIES,MSO-X 2024A,MY00000001,02.65.2021102830\n"


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
        if message.startswith(":WAVeform:SOURce"):
            self._source = message.split(";", maxsplit=1)[0].split(" ")[1]
            return None
        if message == ":WAVeform:DATA?":
            return self._blocks[self._source]
        if message == ":WAVeform:PREamble?":
            data_format = 0 if self._source == "POD1" else 1
            return b"+%d,+0,+%d,+1,+2.0E-005,-2.0E-001,+0,+3.14E-005,+6.0E-001,+32768\n" % (data_format, POINTS)
        return self._other(message)

    def _other(self, message: str) -> bytes | None:
        fixed = {"*IDN?": IDENTITY, ":SYSTem:ERRor?": b'+0,"No error"\n', ":OPERegister:CONDition?": b"+0\n"}
        if message in fixed:
            return fixed[message]
        if message.endswith("?"):
            return f"{self._kept.get(message[:-1], '1')}\n".encode()
        header, _, value = message.partition(" ")
        self._kept[header] = value
        return None


def _block(values: np.ndarray[Any, Any]) -> bytes:
    data = values.tobytes()
    return b"#8%08d" % len(data) + data + b"\n"


def serve(ready: Connection) -> None:
    """Serve connections one after the other until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _converse(client, RecordServer())


def _converse(client: socket.socket, server: RecordServer) -> None:
    pending = b""
    while data := client.recv(65536):
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            answer = server.answer(line.decode("ascii"))
            if answer is not None:
                client.sendall(answer)


def median_ms(action: Callable[[], object], repeats: int) -> float:
    """Return the median duration of an action in milliseconds, after two that do not count."""
    durations_ms = []
    for number in range(repeats + 2):
        start = time.perf_counter()
        action()
        if number >= 2:
            durations_ms.append((time.perf_counter() - start) * 1e3)
    return statistics.median(durations_ms)


def measure_driver(resource: str, repeats: int) -> dict[str, float]:
    """Measure this project's session and driver."""
    session = VisaSession.open(resource, role="oscilloscope")
    oscilloscope = Oscilloscope(session)
    current = ChannelSettings(number=1, scale_per_div=0.2, probe_ratio=10.0, unit=Unit.AMPERE)
    oscilloscope.configure(OscilloscopeSettings(current=current))
    results = {"query, small answer": median_ms(lambda: session.query("*IDN?"), repeats * 5)}
    for source, name in (("CHANnel1", "8-bit codes"), ("CHANnel2", "random bytes")):
        session.write(f":WAVeform:SOURce {source}")
        label = f"record of {POINTS} WORD points, {name}"
        results[label] = median_ms(lambda: session.query_block(":WAVeform:DATA?", "<u2"), repeats)
    results["capture: preambles, codes and pod"] = median_ms(oscilloscope.read_capture, repeats)
    session.close()
    return results


def measure_pyvisa(resource: str, repeats: int) -> dict[str, float]:
    """Measure the same transfers with PyVISA's own `query_binary_values`, as its documentation has it."""
    instrument: Any = pyvisa.ResourceManager("@py").open_resource(resource, read_termination="\n")
    instrument.write_termination = "\n"

    def read() -> object:
        return instrument.query_binary_values(":WAVeform:DATA?", datatype="H", container=np.array)

    results = {"query, small answer": median_ms(lambda: instrument.query("*IDN?"), repeats * 5)}
    for source, name in (("CHANnel1", "8-bit codes"), ("CHANnel2", "random bytes")):
        instrument.write(f":WAVeform:SOURce {source}")
        results[f"record of {POINTS} WORD points, {name}"] = median_ms(read, repeats)
    instrument.close()
    return results


def print_table(results: dict[str, dict[str, float]]) -> None:
    """Print both columns, in milliseconds."""
    print(f"medians in ms, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, loopback")
    print(f"{'':52}{'joulebench':>12}{'PyVISA':>12}{'target':>10}")
    targets = {f"record of {POINTS} WORD points, 8-bit codes": 5.0, "capture: preambles, codes and pod": 40.0}
    for name, ours in results["joulebench"].items():
        theirs = results["pyvisa"].get(name)
        other = "-" if theirs is None else f"{theirs:.2f}"
        target = f"<= {targets[name]:g}" if name in targets else ""
        print(f"{name:52}{ours:>12.2f}{other:>12}{target:>10}")


def main() -> None:
    """Start the server, measure both ways, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=50, help="how often each transfer is measured")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    receiving, sending = multiprocessing.Pipe(duplex=False)
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(sending,), daemon=True)
    server.start()
    try:
        resource = f"TCPIP0::127.0.0.1::{receiving.recv()}::SOCKET"
        results = {
            "joulebench": measure_driver(resource, options.repeats),
            "pyvisa": measure_pyvisa(resource, options.repeats),
        }
    finally:
        server.terminate()
        server.join()
    if options.json:
        print(json.dumps(results))
    else:
        print_table(results)


if __name__ == "__main__":
    main()
