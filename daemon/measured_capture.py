"""Measured capture: a stored capture, read back with what the supply said around it."""

from collections.abc import Mapping
from typing import Any

from daemon.capture_facts import FORCED_KEY, RECORDING_KEY, SUPPLY_KEY
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
        means=samples_are_means(extra.get(RECORDING_KEY) or {}),
    )


def samples_are_means(recording: Mapping[str, Any]) -> bool:
    """Say whether each sample of an imported capture is the mean of its interval.

    It is where the instrument averaged, and where several points of a long file became one sample.
    """
    return bool(recording.get("means")) or int(recording.get("samples_per_point", 1)) > 1
