"""Lab broker: a real mosquitto of a verification's own, that can be killed, frozen and started again."""

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from daemon.errors import VerificationFailed

HOST = "127.0.0.1"
START_DEADLINE_S = 20.0
"""Starting takes 10 ms; a broker that is not up by then never will be."""
POLL_S = 0.005
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # prctl(2)


def mosquitto_path() -> str:
    """Return where the broker's program is.

    Raises:
        VerificationFailed: it is not installed.
    """
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        raise VerificationFailed(
            "mosquitto, the broker that the faults are to strike, is not on this computer: apt install mosquitto"
        )
    return found


class LabBroker:
    """One broker on one port of the loopback interface; it keeps port, sessions and messages over a kill.

    `start` waits until it listens, a few milliseconds; the other methods return at once.
    """

    def __init__(self, folder: Path) -> None:
        self._program = mosquitto_path()
        self._file = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self.port = free_port()
        """TCP port that it listens on."""
        self._process: subprocess.Popen[bytes] | None = None
        self._file.write_text(_configuration(self.port, folder), encoding="utf-8")

    def start(self) -> None:
        """Start, and return once it listens.

        Raises:
            VerificationFailed: it does not, or ended.
        """
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [self._program, "-c", str(self._file)],
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_the_parent,  # noqa: PLW1509 - one system call, which takes no lock
            )
        deadline_s = time.monotonic() + START_DEADLINE_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                raise VerificationFailed(f"mosquitto did not start on port {self.port}: see {self._log}")
            time.sleep(POLL_S)

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        self._signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _listens(self) -> bool:
        try:
            socket.create_connection((HOST, self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


def _end_with_the_parent() -> None:
    """Have this process killed once its parent is dead, however that came: nobody else would end it."""
    if hasattr(_LIBC, "prctl"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port() -> int:
    """Return a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _configuration(port: int, folder: Path) -> str:
    """Return a configuration as a lab's: what it holds for its clients outlives a kill."""
    lines = [
        f"listener {port} {HOST}",
        "allow_anonymous true",
        "persistence true",
        f"persistence_location {folder}/",
        "autosave_on_changes true",
        "autosave_interval 1",
        "max_queued_messages 10000",
        "log_dest stderr",
        "log_type warning",
        "log_type error",
        "log_type notice",
    ]
    if os.geteuid() == 0:
        lines.append("user root")  # else it drops to a user who may not write into this folder
    return "\n".join(lines) + "\n"
