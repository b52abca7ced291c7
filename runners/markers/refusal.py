"""Refusal: why a device file of a marker cannot be used, and what to do about it."""

import errno
import os
from pathlib import Path

_BUSY = (errno.EBUSY, errno.ETXTBSY)


def refusal_text(error: OSError, path: Path, *, missing: str, busy: str) -> str:
    """Return what the system refused about a file, and the remedy.

    Args:
        error: what was raised.
        path: the file.
        missing: what to do where there is no such file or device.
        busy: what to do where somebody else has it.
    """
    remedy = ""
    if error.errno in {errno.ENOENT, errno.ENODEV, errno.ENXIO}:
        remedy = missing
    elif error.errno in {errno.EACCES, errno.EPERM}:
        remedy = _permission_remedy(path)
    elif error.errno in _BUSY:
        remedy = busy
    return f"{path}: {error.strerror or error}" + (f"; {remedy}" if remedy else "")


def _permission_remedy(path: Path) -> str:
    """Return how this user gets at a file: by its group, or by a udev rule where the group is root's."""
    import grp  # not everywhere: only Unix has groups of this kind

    try:
        group = grp.getgrgid(path.stat().st_gid).gr_name
    except (OSError, KeyError):
        group = "root"
    if group == "root":
        return "it is root's alone: give it to a group by a udev rule, or run as root"
    user = os.environ.get("USER", "USER")
    return f"it belongs to the group {group}: `sudo usermod -aG {group} {user}`, then log in again"
