"""Measured capture: a stored capture, read back with what the supply said around it."""

from daemon.capture_facts import FORCED_KEY, SUPPLY_KEY
from daemon.captures import CaptureFiles
from daemon.errors import CaptureRemoved
from daemon.records import CaptureRecord
from daemon.retention import removed_text
from metrology.analysis import MeasuredCapture
from metrology.clock_windows import ForcedTrigger
from metrology.supply import SupplyConditions


def measured_capture(files: CaptureFiles, one: CaptureRecord) -> MeasuredCapture:
    """Return a stored capture as the analysis takes it.

    Raises:
        CaptureRemoved: retention has removed its file.
        CaptureFileError: its file is missing or damaged.
    """
    path = files.path(one.name)
    if one.removed_utc_ns is not None and not path.exists():
        when = removed_text(one.removed_utc_ns, one.removed_reason)
        problem = f"{when}; results stand, but cannot be computed again unless it is copied back from a backup"
        raise CaptureRemoved(path, "read", problem)
    extra = files.describe(one.name)["extra"]
    return MeasuredCapture(
        name=f"capture {one.capture_index}",
        capture=files.read(one.name, expected_sha256=one.sha256),
        supply=SupplyConditions(**extra[SUPPLY_KEY]),
        forced=ForcedTrigger(**forced) if (forced := extra.get(FORCED_KEY)) else None,
    )
