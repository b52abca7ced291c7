"""Certificates for people: a table of all, and the lines of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from daemon.certificate_text import certificate_facts

if TYPE_CHECKING:
    from calibration.certificate import Certificate


def certificates_table(certificates: "Sequence[Certificate]", *, now_utc_ns: int) -> Table:
    """Return one line for each certificate."""
    table = Table("certificate", "kind", "made (UTC)", "valid until (UTC)", "says", title="Certificates")
    for one in certificates:
        until = _time_text(one.valid_until_utc_ns)
        holds = one.valid_from_utc_ns <= now_utc_ns < one.valid_until_utc_ns
        table.add_row(
            one.certificate_id,
            one.KIND,
            _time_text(one.made_utc_ns),
            until if holds else f"[red]{until}[/]",
            "; ".join(certificate_facts(one)),
        )
    return table


def certificate_lines(certificate: "Certificate") -> Iterator[str]:
    """Yield the lines that show one certificate."""
    provenance = certificate.provenance
    yield f"{certificate.certificate_id} ({certificate.KIND})"
    from_text, until_text = map(_time_text, (certificate.valid_from_utc_ns, certificate.valid_until_utc_ns))
    yield f"  valid {from_text} to {until_text} UTC"
    yield from (f"  {line}" for line in certificate_facts(certificate))
    for name in ("conditions", "residuals"):
        if hasattr(certificate, name):
            yield f"  {name}: {_pairs(asdict(getattr(certificate, name)))}"
    yield f"  made by {provenance.made_by}, joulebench {provenance.software_version}"
    for name in ("instruments", "serials", "environment"):
        if getattr(provenance, name):
            yield f"  {name}: {_pairs(getattr(provenance, name))}"
    yield f"  raw captures: {len(provenance.captures)}"
    if provenance.note:
        yield f"  note: {provenance.note}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )


def _time_text(at_utc_ns: int) -> str:
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
