"""A real mosquitto broker of a test's own: free port, own folder, stopped and started at will."""

import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

START_DEADLINE_S = 10.0
"""Starting takes 10 ms; a broker that is not up by then never will be."""


def mosquitto_path() -> str | None:
    """Return where the broker's program is; None where it is not installed."""
    return shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


class MosquittoBroker:
    """One broker on one port of the loopback interface; it keeps port and persisted messages over a restart."""

    def __init__(self, folder: Path) -> None:
        program = mosquitto_path()
        assert program is not None, "mosquitto is not installed"
        self.host = "127.0.0.1"
        self.port = free_port()
        self.log: list[str] = []
        self._command = [program, "-c", str(folder / "mosquitto.conf")]
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        (folder / "mosquitto.conf").write_text(self._configuration(folder))

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start, and return once the broker says that it listens."""
        assert not self.running, "the broker runs already"
        outcome: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._process = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stderr, outcome), name="mosquitto-log", daemon=True
        )
        self._reader.start()
        try:
            listens = outcome.get(timeout=START_DEADLINE_S)
        except queue.Empty:
            listens = False
        if not listens:
            self.stop()
            raise RuntimeError("mosquitto did not start:\n" + "\n".join(self.log[-20:]))

    def stop(self, *, kill: bool = False) -> None:
        """Stop, with time to save what it holds, or at once (`kill`) as a power cut would."""
        if self._process is None:
            return
        _end(self._process, signal.SIGKILL if kill else signal.SIGTERM)
        if self._reader is not None:
            self._reader.join(START_DEADLINE_S)
        self._process = None

    def _configuration(self, folder: Path) -> str:
        lines = [
            f"listener {self.port} {self.host}",
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            # without these two a SIGKILL loses sessions and retained messages
            "autosave_on_changes true",
            "autosave_interval 1",
            "log_dest stderr",
            "log_type all",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user who may not write in pytest's private folder
        return "\n".join(lines) + "\n"

    def _read(self, stream: IO[str], outcome: queue.SimpleQueue[bool]) -> None:
        with stream:
            for line in stream:
                self.log.append(line.rstrip())
                if line.rstrip().endswith(" running"):
                    outcome.put(True)
        outcome.put(False)  # it ended: start() need not wait its time out


def _end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """Signal until it ends: mosquitto says that it runs a moment before it hears SIGTERM, and loses an early one."""
    deadline_s = time.monotonic() + START_DEADLINE_S
    while process.poll() is None:
        process.send_signal(how if time.monotonic() < deadline_s else signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
