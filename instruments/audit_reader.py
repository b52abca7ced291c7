"""Audit reader: the lines of an audit log, the newest last; a torn one is counted and left out."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from instruments.audit_log import PREFIX, SUFFIX


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLines:
    """What was read."""

    lines: tuple[dict[str, Any], ...]
    """Lines in the order in which they were written."""
    torn: int
    """Number of lines that are none: a program was killed, or the disk was full, while one was written."""


def read_audit(directory: Path, *, last: int | None = None, bench: str | None = None) -> AuditLines:
    """Read an audit log; a directory that is not there holds no line.

    Args:
        directory: where the files are.
        last: Number of lines at most, the newest; None: all. Files that hold older lines only are not read.
        bench: only the lines of this bench; None: of all.

    Raises:
        OSError: a file cannot be read.
    """
    found: list[dict[str, Any]] = []
    torn = 0
    for path in sorted(directory.glob(f"{PREFIX}*{SUFFIX}"), reverse=True):
        read = list(_parsed(path))
        torn += read.count(None)
        found = [line for line in read if line is not None and bench in (None, line.get("bench"))] + found
        if last is not None and len(found) >= last:
            break
    return AuditLines(lines=tuple(found if last is None else found[max(0, len(found) - last) :]), torn=torn)


def _parsed(path: Path) -> Iterator[dict[str, Any] | None]:
    for raw in path.read_bytes().split(b"\n"):
        if not raw.strip():
            continue
        try:
            line = json.loads(raw)
        except ValueError:
            yield None
            continue
        yield line if isinstance(line, dict) else None
