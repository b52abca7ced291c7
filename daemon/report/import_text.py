"""Import text: what recorded the files that runs were imported from, and what was said of its errors."""

from collections.abc import Mapping
from typing import Any

from daemon.report.described_capture import DescribedCapture

UNSAID = "nobody said how far it may be off"


def import_text(capture: DescribedCapture | None) -> str:
    """Return what a run was imported from with the errors that were given; None: no capture of it is kept."""
    if capture is None or capture.recording is None:
        return "imported; no capture is kept that says from what, and how far it may be off"
    given: Mapping[str, Any] = capture.recording.get("accuracy") or {}
    what = "current" if capture.has_current else "energy"
    limits = (
        f"{what} {_limits(given, 'gain', 'offset_a', 'A', 'current_source')}",
        f"voltage {_limits(given, 'voltage_gain', 'voltage_offset_v', 'V', 'voltage_source')}",
    )
    return f"{capture.recorder}: {', '.join(limits)}"


def _limits(given: Mapping[str, Any], gain: str, offset: str, unit: str, source: str) -> str:
    factor, zero = given.get(gain), given.get(offset)
    if factor is None and zero is None:
        return f"({UNSAID})"
    parts = [
        "gain not given" if factor is None else f"±{100 * factor:g} %",
        "zero not given" if zero is None else f"±{zero:g} {unit}",
    ]
    return f"{' '.join(parts)} ({given.get(source) or 'as given'})"
