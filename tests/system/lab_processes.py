"""A lab of separate processes: simulator, daemon and agent, each started as its user would start it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.mosquitto import MosquittoBroker

READY_S = 60.0
COMMAND = [sys.executable, "-m", "daemon.cli.main"]
REPOSITORY = Path(__file__).resolve().parents[2]


class Process:
    """One command running; its output goes to a file that a failed test can show."""

    def __init__(
        self, name: str, arguments: list[str], folder: Path, environment: dict[str, str], command: list[str] = COMMAND
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                [*command, *arguments], stdout=log, stderr=log, cwd=REPOSITORY, env=os.environ | environment
            )

    def wait_for(self, ready: Callable[[], bool]) -> None:
        """Wait until something that the process does can be seen."""
        end = time.monotonic() + READY_S
        while not ready():
            assert self.popen.poll() is None, f"{self.name} ended: {self.log.read_text()}"
            assert time.monotonic() < end, f"{self.name} is not ready: {self.log.read_text()}"
            time.sleep(0.02)  # another process's file offers no event to wait for

    def says(self, text: str) -> None:
        self.wait_for(lambda: text in self.log.read_text())

    def stop(self) -> int:
        self.popen.terminate()
        return self.popen.wait(READY_S)


class LabProcesses:
    """Simulator, daemon and agent around a broker."""

    def __init__(self, broker: MosquittoBroker, folder: Path) -> None:
        self.broker = broker
        self.folder = folder
        self.ready: dict[str, Any] = {}
        self.config = folder / "bench.toml"
        self._running: list[Process] = []

    def start(self, name: str, *arguments: str, **environment: str) -> Process:
        process = Process(name, list(arguments), self.folder, environment)
        self._running.append(process)
        return process

    def simulate(self, *arguments: str) -> Process:
        path = self.folder / "ready.json"
        process = self.start("simulate", "simulate", "--ready-file", str(path), *arguments)
        process.wait_for(path.exists)
        self.ready = json.loads(path.read_text())
        return process

    def service(self, name: str, *arguments: str, **environment: str) -> Process:
        """Start a process that faults can be planted in (`planted_process`)."""
        command = [sys.executable, "-m", "tests.system.planted_process"]
        process = Process(name, list(arguments), self.folder, environment, command)
        self._running.append(process)
        return process

    def configure(self, *, text: str = "") -> None:
        """Write the daemon's configuration."""
        self.config.write_text(self._configuration() + text)

    def daemon(self, *, text: str = "", record: Path | None = None) -> Process:
        self.configure(text=text)
        recording = () if record is None else ("--record", str(record))
        process = self.start("daemon", "daemon", "--config", str(self.config), *recording)
        process.says("is served")
        return process

    def agent(self, *arguments: str) -> Process:
        return self.start("agent", "board", "serve", *self.board_options(), *arguments)

    def board_options(self) -> list[str]:
        return ["--broker", self.broker.url, "--bench", "sys", "--board", "jetson", "--marker", self.ready["marker"]]

    def run(self, *arguments: str, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*COMMAND, *arguments], capture_output=True, text=True, timeout=timeout_s, cwd=REPOSITORY, check=False
        )

    def stop(self) -> list[int]:
        """Stop everything, the last started first; return the exit statuses."""
        return [process.stop() for process in reversed(self._running) if process.popen.poll() is None]

    def _configuration(self) -> str:
        ready = self.ready
        return f"""
[bench]
name = "sys"
[mqtt]
port = {self.broker.port}
[oscilloscope]
resource = "{ready["oscilloscope"]}"
current_scale_a_per_div = 0.2
current_offset_a = 0.6
[power_supply]
resource = "{ready["power_supply"]}"
gpib_adapter = "{ready["gpib_adapter"]}"
max_voltage_v = 20.0
max_current_a = 2.2
[storage]
directory = "{self.folder / "data"}"
min_free_bytes = 1000
[calibration]
directory = "{self.folder / "certificates"}"
missing = "accept"
"""


@contextmanager
def lab_of(broker: MosquittoBroker, folder: Path) -> Iterator[LabProcesses]:
    """Everything started inside is stopped at the end, whatever happens."""
    lab = LabProcesses(broker, folder)
    try:
        yield lab
    finally:
        lab.stop()
