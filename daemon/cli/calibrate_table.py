"""Certificates for people: a table of all, and the lines of one."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table


def certificates_table(documents: Sequence[Mapping[str, Any]], *, now_utc_ns: int) -> Table:
    """Return one line for each certificate, given as their files have them."""
    table = Table("certificate", "kind", "made (UTC)", "valid until (UTC)", "says", title="Certificates")
    for document in documents:
        content = document["certificate"]
        until = _time_text(content["valid_until_utc_ns"])
        holds = content["valid_from_utc_ns"] <= now_utc_ns < content["valid_until_utc_ns"]
        table.add_row(
            content["certificate_id"],
            content["kind"],
            _time_text(content["made_utc_ns"]),
            until if holds else f"[red]{until}[/]",
            "; ".join(_estimates(content)),
        )
    return table


def certificate_lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that show one certificate."""
    provenance = content["provenance"]
    yield f"{content['certificate_id']} ({content['kind']})"
    yield f"  valid {_time_text(content['valid_from_utc_ns'])} to {_time_text(content['valid_until_utc_ns'])} UTC"
    yield from (f"  {line}" for line in _estimates(content))
    for name in ("conditions", "residuals"):
        if name in content:
            yield f"  {name}: {_pairs(content[name])}"
    yield f"  made by {provenance['made_by']}, joulebench {provenance['software_version']}"
    for name in ("instruments", "serials", "environment"):
        if provenance[name]:
            yield f"  {name}: {_pairs(provenance[name])}"
    yield f"  raw captures: {len(provenance['captures'])}"
    if provenance["note"]:
        yield f"  note: {provenance['note']}"


def _estimates(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield each estimate with its standard uncertainty; those of value zero are parts of others."""
    for name, value in content.items():
        if isinstance(value, dict) and "standard_uncertainty" in value:
            yield f"{name} {value['value']:.6g} ± {value['standard_uncertainty']:.2g} (k = 1)"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )


def _time_text(at_utc_ns: int) -> str:
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
