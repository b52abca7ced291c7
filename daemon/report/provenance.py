"""Provenance: with what a campaign was measured, as all its captures, results and certificates say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from calibration.errors import CalibrationError
from calibration.store import CertificateStore
from daemon.captures import CaptureFiles
from daemon.certificate_text import certificate_facts
from daemon.errors import CaptureFileError
from daemon.quantity_text import short_number_text
from daemon.report.result_values import Pair
from instruments.simulated.scope_dialect import SCOPE_IDENTITY

UNKNOWN = "not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """With what it was measured; each text with how many captures say so where they differ."""

    instruments: Mapping[str, tuple[str, ...]]
    """Identity strings by role."""
    settings: tuple[str, ...]
    """Sampling, ranges and supply, one text for each way in which captures were taken."""
    certificates: tuple[str, ...]
    """Calibration certificates that the results used: kind, date, values."""
    uncalibrated_runs: int
    """Runs whose results used no certificate."""
    software: tuple[str, ...]
    """Versions of joulebench that computed the results."""
    syncs: tuple[str, ...]
    """Synchronisation methods used."""
    boards: tuple[str, ...]
    """Boards with what inferred on them."""
    first_utc_ns: int
    """When the first run was requested."""
    last_utc_ns: int
    """When the last one was."""
    captures: int
    """Captures whose description was read."""
    unread: tuple[str, ...]
    """Captures that could not be read, or are kept no more, with the reason."""

    @property
    def simulated(self) -> bool:
        """Whether any record came from the simulated oscilloscope."""
        return any(SCOPE_IDENTITY in text for texts in self.instruments.values() for text in texts)


def read_provenance(
    pairs: Sequence[Pair], capture_names: Iterable[str], files: CaptureFiles, certificates: CertificateStore | None
) -> Provenance:
    """Read with what the runs of these results were measured; what cannot be read is said."""
    described, unread = [], []
    for name in capture_names:
        try:
            described.append(files.describe(name))
        except CaptureFileError as error:
            unread.append(f"{name}: {error}")
    documents = [result.document for _, result in pairs]
    return Provenance(
        instruments=_instruments(described),
        settings=_counted(map(_settings_text, described)),
        certificates=_certificates(documents, certificates),
        uncalibrated_runs=sum(not document.get("certificate_ids") for document in documents),
        software=_counted(str(document.get("software_version") or UNKNOWN) for document in documents),
        syncs=_counted(str(document.get("sync") or UNKNOWN) for document in documents),
        boards=_counted(", ".join(filter(None, (run.board, run.precision, run.backend))) for run, _ in pairs),
        first_utc_ns=min(run.requested_utc_ns for run, _ in pairs),
        last_utc_ns=max(run.requested_utc_ns for run, _ in pairs),
        captures=len(described),
        unread=tuple(unread),
    )


def time_text(at_utc_ns: int) -> str:
    """Return an instant to the minute, UTC."""
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")


def _instruments(described: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    roles = dict.fromkeys(role for one in described for role in one.get("instruments") or {})
    return {
        role: _counted(str(one["instruments"][role]) for one in described if role in (one.get("instruments") or {}))
        for role in roles
    }


def _settings_text(described: Mapping[str, Any]) -> str:
    """Return how a capture was taken, as far as it says: an imported one says little."""
    base, extra = described.get("time_base") or {}, described.get("extra") or {}
    conditions, supply = extra.get("conditions") or {}, extra.get("supply") or {}
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
    parts += ["voltage recorded"] if described.get("voltage") else []
    return ", ".join(parts) or UNKNOWN


def _certificates(documents: Sequence[Mapping[str, Any]], store: CertificateStore | None) -> tuple[str, ...]:
    used = Counter(str(one) for document in documents for one in document.get("certificate_ids") or ())
    return tuple(f"{_certificate_text(name, store)} ({count} runs)" for name, count in used.items())


def _certificate_text(name: str, store: CertificateStore | None) -> str:
    try:
        certificate = store.read(name) if store is not None else None
    except CalibrationError as error:
        return f"{name}: its file cannot be read here ({error})"
    if certificate is None:
        return f"{name}: its file is not at hand"
    made, until = time_text(certificate.made_utc_ns), time_text(certificate.valid_until_utc_ns)
    says = "; ".join(certificate_facts(certificate))
    return f"{name} ({certificate.KIND}), made {made}, valid until {until} UTC: {says}"


def _counted(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each text once, with how often it was said where there are several."""
    counts = Counter(texts)
    return tuple(text if len(counts) == 1 else f"{text} ({count})" for text, count in counts.most_common())
