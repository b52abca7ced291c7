"""Children: the simulated bench and the board's agent as processes of their own, as on a real bench."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from daemon.errors import DaemonError

READY_TIMEOUT_S = 60.0
"""Longest wait for a child to be ready: importing torch takes a while on a slow disk."""
STOP_TIMEOUT_S = 5.0
"""Longest wait for a child to end by itself."""
POLL_S = 0.05


class Child:
    """Async context manager: one `joulebench` command running beside this process; its log goes to a file."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> "Child":
        with self._log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "daemon.cli.main", *self._arguments,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    def check_alive(self) -> None:
        """Raise DaemonError where the child has ended, with the end of its log."""
        if self._process is not None and self._process.returncode is not None:
            tail = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
            raise DaemonError(f"{self.name} ended with status {self._process.returncode}: {' | '.join(tail)}")

    async def ready_document(self, path: Path) -> dict[str, Any]:
        """Return the JSON of the child's ready file once it is there.

        Raises:
            DaemonError: the child ended, or was not ready in time.
        """
        end_s = time.monotonic() + READY_TIMEOUT_S
        while not path.exists():
            self.check_alive()
            if time.monotonic() > end_s:
                raise DaemonError(f"{self.name} was not ready within {READY_TIMEOUT_S:g} s; see {self._log}")
            await asyncio.sleep(POLL_S)
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return document
