"""What the agent costs beside the inference loop: CPU time of its process outside the thread that infers.

A real agent over a real mosquitto performs one long run of real inference on one thread; broker and lab are processes
of their own. From the first batch to the last: CPU time of the whole process, less that of the inference thread, is
that of event loop, MQTT and whatever else the agent does. What the inference thread spends on its marker is shown
beside it: the marker is that of a simulated bench, over TCP, and the side that answers is a process of its own too.

    python benchmarks/agent_overhead.py [--seconds 30] [--network alexnet] [--json]
"""

import argparse
import asyncio
import json
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from runners.agent import Agent
from runners.agent_settings import AgentSettings
from runners.backends.torch_device import select_device
from runners.backends.torch_eager import TorchEager
from runners.broker_address import BrokerAddress
from runners.inference_workload import inference_factory
from runners.markers.simulated import SimulatedMarker
from runners.messages import BoardCommand, RunPhase
from runners.topics import TopicKind
from tests.mosquitto import MosquittoBroker, mosquitto_path
from tests.unit.runners.fake_daemon import BENCH, BOARD, fake_daemon

BOUND = 0.01
"""Largest fraction of one core."""
RUN = "overhead"


class MeteredMarker(SimulatedMarker):
    """A marker that counts what setting it costs its thread, and how often it was set."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.cpu_s = 0.0
        self.edges = 0

    def set(self, level: bool) -> None:
        """Set the level."""
        before_s = time.thread_time()
        super().set(level)
        self.cpu_s += time.thread_time() - before_s
        self.edges += 1


class MeteredWorkload:
    """A workload whose run is watched from the first batch to the last."""

    def __init__(self, workload, marker: MeteredMarker) -> None:
        self._workload = workload
        self._marker = marker
        self.figures: dict[str, float] = {}

    def prepare(self):
        """Load and warm up."""
        return self._workload.prepare()

    def run(self, marker, should_stop, images_planned):
        """Run the batches, and keep what they cost."""
        wall_s, process_s, thread_s = time.monotonic(), time.process_time(), time.thread_time()
        report = self._workload.run(marker, should_stop, images_planned)
        wall_s = time.monotonic() - wall_s
        thread_s = time.thread_time() - thread_s
        outside_s = time.process_time() - process_s - thread_s
        self.figures = {
            "wall_s": wall_s,
            "batches": report.batches,
            "inference_cpu_s": thread_s - self._marker.cpu_s,
            "outside_cpu_s": outside_s,
            "marker_cpu_s": self._marker.cpu_s,
            "marker_us_per_edge": 1e6 * self._marker.cpu_s / max(1, self._marker.edges),
            "agent_fraction": outside_s / wall_s,
            "agent_and_marker_fraction": (outside_s + self._marker.cpu_s) / wall_s,
        }
        return report

    def release(self) -> None:
        """Free what was loaded."""
        self._workload.release()


def answer_marker(ready: Connection) -> None:
    """Answer each edge as the simulated bench does, until the process is ended."""
    listener = socket.create_server(("127.0.0.1", 0))
    ready.send(listener.getsockname()[1])
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_answer, args=(client,), daemon=True).start()


def _answer(client: socket.socket) -> None:
    with client:
        while data := client.recv(4096):
            client.sendall(b"ok\n" * data.count(b"\n"))


def play_lab(port: int, seconds: float, ready: Connection) -> None:
    """Arm the run, say captured after so many seconds, and publish a result; in a process of its own."""
    asyncio.run(_play_lab(port, seconds, ready))


async def _play_lab(port: int, seconds: float, ready: Connection) -> None:
    async with fake_daemon("127.0.0.1", port) as lab:
        ready.send("listening")
        await asyncio.wait_for(lab._heard[TopicKind.REQUEST].get(), 300)
        await lab.say(RUN, RunPhase.ARMED)
        await lab.heard(TopicKind.STARTED)
        await asyncio.sleep(seconds)
        await lab.say(RUN, RunPhase.CAPTURED)
        await asyncio.wait_for(lab._heard[TopicKind.FINISHED].get(), 300)
        await lab.conclude(RUN)


async def perform(port: int, marker: MeteredMarker, network: str) -> dict[str, float]:
    """Perform the run, and return what it cost."""
    torch.set_num_threads(1)
    factory = inference_factory(TorchEager(select_device("cpu")))
    made: list[MeteredWorkload] = []

    def metered(order: BoardCommand) -> MeteredWorkload:
        made.append(MeteredWorkload(factory(order), marker))
        return made[-1]

    settings = AgentSettings(
        broker=BrokerAddress(host="127.0.0.1", port=port), bench=BENCH, board=BOARD, networks=(network,)
    )
    async with Agent(settings, metered, marker) as agent:
        outcome = await agent.perform(BoardCommand(run_id=RUN, network=network, batch_size=1))
    outcome.raise_unless_done()
    return made[-1].figures


def main() -> None:
    """Measure, print; status 1 where the agent costs more than its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--network", default="alexnet")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of lines")
    options = parser.parse_args()
    if mosquitto_path() is None:
        sys.exit("mosquitto is not installed (apt install mosquitto)")
    figures = measure(options.seconds, options.network)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:28} {value:.6g}")
        print(f"agent outside the inference thread: {figures['agent_fraction']:.3%} of one core, bound {BOUND:.0%}")
    sys.exit(figures["agent_fraction"] > BOUND)


def measure(seconds: float, network: str) -> dict[str, float]:
    """Start broker, lab and marker, perform the run, and return its figures."""
    context = multiprocessing.get_context("spawn")
    processes = []
    with tempfile.TemporaryDirectory() as folder:
        broker = MosquittoBroker(Path(folder))
        broker.start()
        try:
            answers = []
            for target, arguments in ((answer_marker, ()), (play_lab, (broker.port, seconds))):
                receiving, sending = context.Pipe(duplex=False)
                process = context.Process(target=target, args=(*arguments, sending), daemon=True)
                process.start()
                processes.append(process)
                answers.append(receiving.recv())
            marker = MeteredMarker(f"tcp://127.0.0.1:{answers[0]}")
            try:
                return asyncio.run(perform(broker.port, marker, network))
            finally:
                marker.close()
        finally:
            for process in processes:
                process.terminate()
                process.join()
            broker.stop()


if __name__ == "__main__":
    main()
