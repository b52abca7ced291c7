"""Child program: one command in a process group of its own, its output line by line, and its sure end."""

import contextlib
import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from runners.errors import ProgramFailed
from runners.line_splitter import LineSplitter

READ_BYTES = 65536
STRAGGLERS_S = 0.2
"""How long a program that has ended may leave its output open before somebody else is taken to hold it."""
WITHOUT_PIDFD_S = 1e-3
"""How often an older kernel (before 5.3) is asked whether a program has ended that has closed its output."""


class ChildProgram:
    """Started at once, without a shell. Used by one thread at a time."""

    def __init__(self, command: Sequence[str], *, hears: bool, show: Callable[[bytes], object]) -> None:
        """Start a command; raise ProgramFailed where the system cannot.

        Args:
            command: Program and arguments.
            hears: It has a standard input, for `release`; otherwise that is empty.
            show: Takes its output as it comes, and must not wait.
        """
        self.command = shlex.join(command)
        self._show = show
        self._lines = LineSplitter()
        self._popen = _started(command, hears=hears)
        assert self._popen.stdout is not None
        self._output = self._popen.stdout.fileno()
        os.set_blocking(self._output, False)
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)
        self._pidfd = _pidfd(self._popen.pid)
        if self._pidfd is not None:
            self._poll.register(self._pidfd, select.POLLIN)
        self._at_end = False
        self.last_line = ""
        """The last line that it wrote."""
        self.ended_ns: int | None = None
        """When it was seen to have ended, by the monotonic clock, in nanoseconds; None while it runs."""
        self.lag_ns = 0
        """Longest time from looking away from its output to looking at it again, in nanoseconds."""
        self._looked_ns: int | None = None

    def wait_lines(self, timeout_s: float) -> list[str]:
        """Wait for output or the end; return the lines that came, none where it took too long."""
        if self._looked_ns is not None:
            self.lag_ns = max(self.lag_ns, time.monotonic_ns() - self._looked_ns)
        if self._at_end and self._pidfd is None:
            timeout_s = min(timeout_s, WITHOUT_PIDFD_S)
        ready = {descriptor for descriptor, _ in self._poll.poll(round(1e3 * timeout_s))}
        self._looked_ns = time.monotonic_ns()
        if self.ended_ns is None and self._has_ended():
            self.ended_ns = self._looked_ns
            self._forget(self._pidfd)
        lines = self._read() if self._output in ready else []
        if lines:
            self.last_line = lines[-1]
        return lines

    @property
    def ended(self) -> bool:
        """Whether it has been seen to have ended."""
        return self.ended_ns is not None

    @property
    def exhausted(self) -> bool:
        """Whether nothing will come of its output any more."""
        return self._at_end

    def release(self) -> None:
        """Write a newline to its standard input, which is what it waits for; what it said before is left out."""
        assert self._popen.stdin is not None
        self.wait_lines(0.0)
        self.lag_ns, self._looked_ns = 0, None
        try:
            self._popen.stdin.write(b"\n")
            self._popen.stdin.flush()
        except OSError as error:
            raise ProgramFailed(f"{self.command} does not read its standard input: {error}") from error

    def rest(self) -> list[str]:
        """Return the lines that are left once it has ended, waiting shortly for their end."""
        lines: list[str] = []
        end_s = time.monotonic() + STRAGGLERS_S
        while not self._at_end and (left_s := end_s - time.monotonic()) > 0:
            lines += self.wait_lines(left_s)
        lines += self._lines.flush()
        if lines:
            self.last_line = lines[-1]
        return lines

    def stop(self, first: signal.Signals, *, grace_s: float) -> int:
        """Signal its process group, kill that after a grace time, and return the exit status.

        A process that has moved into a session of its own is not reached.
        """
        if self._popen.returncode is not None:
            return self._popen.returncode
        if not self._has_ended():
            self._signal(first)
            end_s = time.monotonic() + grace_s
            while not self._has_ended() and (left_s := end_s - time.monotonic()) > 0:
                self.wait_lines(min(left_s, 0.05))  # read on: a program that cannot write does not end
        # Before its status is taken: until then no other group can get this number.
        self._signal(signal.SIGKILL)
        status = self._popen.wait()
        self._close()
        return status

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def _has_ended(self) -> bool:
        """Say whether it has ended, without taking its status, which frees its number."""
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        return os.waitid(os.P_PID, self._popen.pid, options) is not None

    def _read(self) -> list[str]:
        try:
            data = os.read(self._output, READ_BYTES)
        except BlockingIOError:
            return []
        except OSError:
            data = b""
        if not data:
            self._at_end = True
            self._forget(self._output)
            return self._lines.flush()
        self._show(data)
        return self._lines.feed(data)

    def _forget(self, descriptor: int | None) -> None:
        if descriptor is not None:
            with contextlib.suppress(KeyError):
                self._poll.unregister(descriptor)

    def _close(self) -> None:
        self._at_end = True
        for descriptor in (self._output, self._pidfd):
            self._forget(descriptor)
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        for stream in (self._popen.stdin, self._popen.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def _started(command: Sequence[str], *, hears: bool) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - the command is the user's own, and goes through no shell
            list(command),
            stdin=subprocess.PIPE if hears else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,  # one pipe for both, so that their lines keep their order
            bufsize=0,
            start_new_session=True,
            # Lines are to arrive when they are printed; programs in other languages have ways of their own.
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    except FileNotFoundError:
        text = f"there is no program {command[0]!r} (or what the first line of the script names is missing)"
    except PermissionError:
        text = f"program {command[0]!r} may not be executed: chmod +x"
    except (OSError, ValueError) as error:
        text = f"program {command[0]!r} cannot be started: {error}"
    raise ProgramFailed(text)


def _pidfd(pid: int) -> int | None:
    """Return what becomes readable when a process ends; None where the system has no such thing."""
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
