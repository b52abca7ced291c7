"""Available memory: what this process may still take, by the machine and by the limits that it is held to.

Sources: proc(5) for MemAvailable; Linux, Documentation/admin-guide/cgroup-v2.rst (memory.max, memory.current,
inactive_file of memory.stat) and cgroup-v1/memory.rst (memory.limit_in_bytes, memory.usage_in_bytes,
total_inactive_file). File pages that nobody uses count as free: the kernel drops them before it refuses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NO_LIMIT_BYTES = 2**62
"""Version 1 writes the largest multiple of a page for no limit at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailableMemory:
    """How much may still be taken, and what says so."""

    size_bytes: int
    """In bytes; 0 where a limit is passed already."""
    limit: str
    """What limits it, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    """Names of a control group's files."""

    limit: str
    usage: str
    unused: str


_V1 = _Version(limit="memory.limit_in_bytes", usage="memory.usage_in_bytes", unused="total_inactive_file")
_V2 = _Version(limit="memory.max", usage="memory.current", unused="inactive_file")


def available_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> AvailableMemory | None:
    """Return the least of what limits this process; None where the system says nothing of it (it is not Linux)."""
    found = [*_of_the_machine(proc), *_of_groups(proc, cgroups)]
    return min(found, key=lambda one: one.size_bytes, default=None)


def _of_the_machine(proc: Path) -> Iterator[AvailableMemory]:
    if found := re.search(r"^MemAvailable:\s+(\d+) kB$", _text(proc / "meminfo"), re.MULTILINE):
        yield AvailableMemory(size_bytes=int(found[1]) * 1024, limit="the machine's memory")


def _of_groups(proc: Path, cgroups: Path) -> Iterator[AvailableMemory]:
    for line in _text(proc / "self" / "cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield from _of_group_and_parents(cgroups, path, _V2)
        elif "memory" in controllers.split(","):
            yield from _of_group_and_parents(cgroups / "memory", path, _V1)


def _of_group_and_parents(root: Path, path: str, version: _Version) -> Iterator[AvailableMemory]:
    """Yield what each group leaves: a parent's limit holds for all below; of those outside a container none is seen."""
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts), -1, -1):
        folder = root.joinpath(*parts[:depth])
        limit, usage = _number(folder / version.limit), _number(folder / version.usage)
        if limit is not None and usage is not None and limit < _NO_LIMIT_BYTES:
            left = limit - usage + _unused(folder / "memory.stat", version.unused)
            yield AvailableMemory(size_bytes=max(0, left), limit=f"the control group /{'/'.join(parts[:depth])}")


def _unused(stat: Path, name: str) -> int:
    found = re.search(rf"^{name} (\d+)$", _text(stat), re.MULTILINE)
    return 0 if found is None else int(found[1])


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdecimal() else None  # `max`: no limit


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
