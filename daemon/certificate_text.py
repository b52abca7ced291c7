"""Certificate text: what a certificate says, for people."""

from collections.abc import Iterator
from dataclasses import fields

from calibration.certificate import Certificate
from daemon.quantity_text import quantity_text
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


def certificate_facts(certificate: Certificate) -> tuple[str, ...]:
    """Return each estimate with its standard uncertainty (k = 1), and what the certificate is about."""
    return (*_estimates(certificate), *_about(certificate))


def _estimates(certificate: Certificate) -> Iterator[str]:
    """Yield each estimate with its standard uncertainty, k = 1; of a sum of two parts the sum."""
    for field in fields(certificate):
        name = _SUMS.get(field.name, field.name)
        value = None if name is None else getattr(certificate, name)
        if name is not None and isinstance(value, Estimate):
            yield _estimate_text(name, value)


def _estimate_text(name: str, value: Estimate) -> str:
    stem, unit, factor = _in_unit(name)
    text = quantity_text(value.value * factor, value.standard_uncertainty * factor, unit=unit)
    return f"{stem.replace('_', ' ')} {text} (k = 1)"


def _about(certificate: Certificate) -> Iterator[str]:
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
