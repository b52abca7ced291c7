"""Described capture: what a capture's file says of how it was taken, its samples unread."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from daemon.capture_facts import CONDITIONS_KEY, RECORDING_KEY, SUPPLY_KEY
from daemon.captures import CaptureFiles
from daemon.errors import CaptureFileError
from daemon.quantity_text import short_number_text
from daemon.store import Store

UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedCapture:
    """One capture whose file is kept and was read."""

    run_id: str
    """Run it belongs to."""
    name: str
    """Name of its file."""
    instruments: Mapping[str, str]
    """Identity string by role."""
    settings: str
    """Sampling, ranges and supply, in words."""
    interval_s: float | None
    """Time between samples, in seconds; None where it does not say."""
    recording: Mapping[str, Any] | None = None
    """From what file it was imported, and how (`daemon.imports.facts`); None: this bench took it."""

    @property
    def has_current(self) -> bool:
        """Whether its samples are a current: not where a file gave energies alone, kept as if they were one."""
        return self.recording is None or bool(self.recording.get("has_current", True))

    @property
    def recorder(self) -> str:
        """What recorded the file that it was imported from; empty where this bench took it."""
        return "" if self.recording is None else str(self.recording.get("identity") or "a recorder that has no name")


def read_described(
    store: Store, run_ids: Iterable[str], files: CaptureFiles
) -> tuple[tuple[DescribedCapture, ...], tuple[str, ...]]:
    """Return what the kept captures of these runs say, in their order, and which of them could not be read and why."""
    described, unread = [], []
    kept = (one for run_id in run_ids for one in store.captures(run_id) if one.removed_utc_ns is None)
    for one in kept:
        try:
            described.append(_of(one.run_id, one.name, files.describe(one.name)))
        except CaptureFileError as error:
            unread.append(f"{one.name}: {error}")
    return tuple(described), tuple(unread)


def _of(run_id: str, name: str, document: Mapping[str, Any]) -> DescribedCapture:
    instruments, extra = document.get("instruments") or {}, document.get("extra") or {}
    return DescribedCapture(
        run_id=run_id,
        name=name,
        instruments={str(role): str(text) for role, text in instruments.items()},
        settings=_settings_text(document, extra),
        interval_s=(document.get("time_base") or {}).get("interval_s"),
        recording=extra.get(RECORDING_KEY),
    )


def _settings_text(document: Mapping[str, Any], extra: Mapping[str, Any]) -> str:
    """Return how a capture was taken, as far as it says: an imported one says little."""
    base = document.get("time_base") or {}
    conditions, supply = extra.get(CONDITIONS_KEY) or {}, extra.get(SUPPLY_KEY) or {}
    parts = []
    if base.get("interval_s") and base.get("sample_count"):
        rate = short_number_text(1e-3 / base["interval_s"], width=6)
        parts.append(f"{base['sample_count']} samples at {rate} kSa/s")
    if "scale_a_per_div" in conditions:
        parts.append(f"{conditions['scale_a_per_div']:g} A/div about {conditions.get('offset_a', 0):g} A")
    if "probe_range_v_per_a" in conditions:
        turns = conditions.get("turns", 1)
        parts.append(f"probe {conditions['probe_range_v_per_a']:g} V/A, {turns} turn{'' if turns == 1 else 's'}")
    if isinstance(supply.get("loaded_voltage_v"), int | float):
        parts.append(f"supply {supply['loaded_voltage_v']:.1f} V")
    parts += ["voltage recorded"] if document.get("voltage") else []
    return ", ".join(parts) or UNKNOWN
