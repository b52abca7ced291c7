"""Process memory: what of this process is in physical memory, now and at most, as Linux counts it.

proc(5), /proc/PID/status: VmRSS and VmHWM, the highest VmRSS since the process began or since it was last reset by
writing 5 to /proc/PID/clear_refs. `resource.getrusage` has a highest too, but none that can be reset, and a new program
inherits there what the one before it had.
"""

import re
from pathlib import Path

_RESET_PEAK = "5"


def resident_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """Return what is in physical memory now, in bytes; None where the system does not say."""
    return _field(status, "VmRSS")


def peak_resident_bytes(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the most that was in physical memory since the last reset, in bytes; None where it is not said."""
    return _field(status, "VmHWM")


def reset_peak(clear_refs: Path = Path("/proc/self/clear_refs")) -> bool:
    """Let the highest begin again from now; return whether the system allows it."""
    try:
        clear_refs.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def _field(status: Path, name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found[1]) * 1024
