"""What the simulated bench's marker costs a board, beside asking the bench for each edge and waiting for its answer.

    python benchmarks/marker_cost.py [--pulses N] [--json]

The bench is a process of its own. Three ways take turns, so that what else the computer does falls on all alike: this
project's marker, which writes an edge down in memory that both have mapped; the same bench asked by a bare socket for
each edge, as a shell would; and two readings of the clock, which is the least that timing costs. The ratio is the
first to the second.
"""

import argparse
import json
import multiprocessing
import os
import platform
import socket
import statistics
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection

from instruments.simulated.bench import SimulatedBenchThread
from instruments.simulated.world import WorldSettings
from runners.markers import SimulatedMarker
from runners.markers.cost import LOW_S, UNCOUNTED

MARKER, ASKED, CLOCK = "joulebench's marker", "an answered line an edge", "two readings of the clock"
TARGET_US = 100.0
"""Longest median of a batch, both edges together."""


def serve_bench(ready: Connection) -> None:
    """Serve a simulated bench until the process is ended."""
    with SimulatedBenchThread(WorldSettings(seed=1605)) as bench:
        ready.send(bench.addresses.marker)
        ready.recv()


def asked(url: str) -> Callable[[bool], object]:
    """Return what sets the level by a bare socket, one line asked and answered."""
    host, port = url.removeprefix("tcp://").split(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def set_level(level: bool) -> bytes:
        connection.sendall(b"1\n" if level else b"0\n")
        return connection.recv(100)

    return set_level


def batches_us(ways: Mapping[str, Callable[[bool], object]], pulses: int) -> dict[str, list[float]]:
    """Return how long both edges of each pulse took, by way, in microseconds; some pulses beforehand do not count."""
    durations_us: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(pulses + UNCOUNTED):
        for name, set_level in ways.items():
            time.sleep(LOW_S)
            start_ns = time.monotonic_ns()
            set_level(True)
            set_level(False)
            end_ns = time.monotonic_ns()
            if number >= UNCOUNTED:
                durations_us[name].append((end_ns - start_ns) / 1e3)
    return durations_us


def measure(pulses: int) -> dict[str, dict[str, float]]:
    """Start a bench, and measure all ways; return median, 95th percentile and worst by way."""
    near, far = multiprocessing.Pipe()
    bench = multiprocessing.get_context("spawn").Process(target=serve_bench, args=(far,), daemon=True)
    bench.start()
    url = near.recv()
    marker = SimulatedMarker(url)
    ways = {MARKER: marker.set, ASKED: asked(url), CLOCK: lambda _: time.monotonic_ns()}
    try:
        durations_us = batches_us(ways, pulses)
    finally:
        marker.close()
        near.send(None)
        bench.join()
    return {name: _summary(values) for name, values in durations_us.items()}


def _summary(values_us: list[float]) -> dict[str, float]:
    ordered = sorted(values_us)
    p95_us = ordered[int(0.95 * len(ordered))]
    return {"median_us": statistics.median(ordered), "p95_us": p95_us, "worst_us": ordered[-1]}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pulses", type=int, default=2000, help="how many pulses are timed each way")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of a table")
    options = parser.parse_args()
    found = measure(options.pulses)
    if options.json:
        print(json.dumps(found))
        return
    print(
        f"a batch (two edges) in us, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    for name, row in found.items():
        print(f"  {name:30} median {row['median_us']:8.1f}   95 % {row['p95_us']:8.1f}   worst {row['worst_us']:10.1f}")
    ratio = found[MARKER]["median_us"] / found[ASKED]["median_us"]
    print(f"  ratio to {ASKED}: {ratio:.3f}; target: median <= {TARGET_US:g} us")


if __name__ == "__main__":
    main()
