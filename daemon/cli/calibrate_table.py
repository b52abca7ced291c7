"""Certificates for people: a table of all, and the lines of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from daemon.quantity_text import quantity_text

if TYPE_CHECKING:
    from calibration.certificate import Certificate
    from metrology.estimate import Estimate

_SUMS = {
    "gain_random": "gain",
    "gain_reference": None,
    "zero_random_a": "zero_a",
    "zero_reference_a": None,
}
"""Attribute that is shown in the place of a part: the sum in the place of the first part, nothing for the second."""
_NAMES = ("board", "opened_by", "reference", "remote_sense")
"""What a certificate is about beside its estimates, as far as its kind has it."""


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
            "; ".join([*_estimates(one), *_about(one)]),
        )
    return table


def certificate_lines(certificate: "Certificate") -> Iterator[str]:
    """Yield the lines that show one certificate."""
    provenance = certificate.provenance
    yield f"{certificate.certificate_id} ({certificate.KIND})"
    from_text, until_text = map(_time_text, (certificate.valid_from_utc_ns, certificate.valid_until_utc_ns))
    yield f"  valid {from_text} to {until_text} UTC"
    yield from (f"  {line}" for line in (*_estimates(certificate), *_about(certificate)))
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


def _estimates(certificate: "Certificate") -> Iterator[str]:
    """Yield each estimate with its standard uncertainty, k = 1; of a sum of two parts the sum."""
    from metrology.estimate import Estimate

    for field in fields(certificate):
        name = _SUMS.get(field.name, field.name)
        value = None if name is None else getattr(certificate, name)
        if name is not None and isinstance(value, Estimate):
            yield _estimate_text(name, value)


def _estimate_text(name: str, value: "Estimate") -> str:
    stem, unit, factor = _in_unit(name)
    text = quantity_text(value.value * factor, value.standard_uncertainty * factor, unit=unit)
    return f"{stem.replace('_', ' ')} {text} (k = 1)"


def _about(certificate: "Certificate") -> Iterator[str]:
    """Yield what a certificate is about, such as the board of a delay."""
    for name in _NAMES:
        value = getattr(certificate, name, None)
        if value is not None:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
            yield f"{name.replace('_', ' ')}: {text}"


def _in_unit(name: str) -> tuple[str, str, float]:
    """Return a field's name without its unit, the unit that people read it in, and the factor to that."""
    for suffix, unit, factor in (("_ohm", "mΩ", 1e3), ("_a", "mA", 1e3), ("_s", "µs", 1e6)):
        if name.endswith(suffix):
            return name.removesuffix(suffix), unit, factor
    return name, "", 1.0


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )


def _time_text(at_utc_ns: int) -> str:
    return datetime.fromtimestamp(at_utc_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M")
