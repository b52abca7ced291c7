"""Provenance: with what a campaign was measured, as all its captures, results and certificates say."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from calibration.errors import CalibrationError
from calibration.store import CertificateStore
from daemon.certificate_text import certificate_facts
from daemon.report.described_capture import UNKNOWN, DescribedCapture
from daemon.report.import_text import import_text
from daemon.report.result_values import Pair
from daemon.report.simulation import is_simulated
from instruments.simulated_identity import SCOPE


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
    """Runs that a bench measured and whose results used no certificate."""
    imports: tuple[str, ...]
    """What recorded the files of imported runs, and what was said of its errors."""
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

    simulated: bool | None
    """Whether any run was simulated; None: nothing tells it of them all."""


def read_provenance(
    pairs: Sequence[Pair],
    captures: Sequence[DescribedCapture],
    unread: Sequence[str],
    certificates: CertificateStore | None,
    imported: Collection[str],
) -> Provenance:
    """Return with what the runs of these results were measured; what cannot be read is said.

    Args:
        pairs: the runs that were used, with their results.
        captures: of theirs, that are kept.
        unread: captures that should be kept and could not be read, with the reason.
        certificates: where they lie; None: not at hand.
        imported: those of the runs that were imported.
    """
    documents = [result.document for _, result in pairs]
    firsts = {one.run_id: one for one in reversed(captures)}
    measured = [result.document for run, result in pairs if run.run_id not in imported]
    return Provenance(
        instruments=_instruments(captures),
        settings=_counted(one.settings for one in captures),
        certificates=_certificates(documents, certificates),
        uncalibrated_runs=sum(not document.get("certificate_ids") for document in measured),
        imports=tuple(
            f"{text} ({count} run{'' if count == 1 else 's'})"
            for text, count in Counter(import_text(firsts.get(run_id)) for run_id in imported).items()
        ),
        software=_counted(str(document.get("software_version") or UNKNOWN) for document in documents),
        syncs=_counted(str(document.get("sync") or UNKNOWN) for document in documents),
        boards=_counted(", ".join(filter(None, (run.board, run.precision, run.backend))) for run, _ in pairs),
        first_utc_ns=min(run.requested_utc_ns for run, _ in pairs),
        last_utc_ns=max(run.requested_utc_ns for run, _ in pairs),
        captures=len(captures),
        unread=tuple(unread),
        simulated=is_simulated((run for run, _ in pairs), captures, _certified(pairs, certificates), imported),
    )


def time_text(at_utc_ns: int) -> str:
    """Return an instant to the minute, UTC."""
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")


def _instruments(captures: Sequence[DescribedCapture]) -> dict[str, tuple[str, ...]]:
    roles = dict.fromkeys(role for one in captures for role in one.instruments)
    return {role: _counted(one.instruments[role] for one in captures if role in one.instruments) for role in roles}


def _certified(pairs: Sequence[Pair], store: CertificateStore | None) -> dict[str, str]:
    """Return by run the oscilloscope that a certificate of its result was made with, where its file tells."""
    scopes: dict[str, str | None] = {}
    found = {}
    for run, result in pairs:
        for name in map(str, result.document.get("certificate_ids") or ()):
            if name not in scopes:
                scopes[name] = _scope_of(name, store)
            if (scope := scopes[name]) is not None:
                found[run.run_id] = scope
    return found


def _scope_of(name: str, store: CertificateStore | None) -> str | None:
    try:
        certificate = store.read(name) if store is not None else None
    except CalibrationError:
        return None
    return None if certificate is None else certificate.provenance.instruments.get(SCOPE)


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
