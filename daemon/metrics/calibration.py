"""Metrics of the calibration: how old the certificates in use are, and how long they still hold."""

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Gauge

from calibration.certificate import Certificate
from calibration.kinds import KINDS
from calibration.selection import Selection, SelectionOutcome


class CalibrationMetrics:
    """One series a kind of certificate; where boards have one each, the one that ends first speaks."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._usable = _gauge(registry, "usable", "1 where a certificate fits the bench and holds.")
        self._age_s = _gauge(registry, "age_seconds", "Age of the certificate in use; NaN without one.")
        self._remaining_s = _gauge(
            registry, "remaining_seconds", "How long the certificate in use still holds; NaN without one."
        )
        self.examined({}, at_utc_ns=0)
        for kind in KINDS:
            self._usable.labels(kind=kind).set(float("nan"))

    def examined(self, found: dict[str, list[Selection[Any]]], *, at_utc_ns: int) -> None:
        """Take which certificates a run would use at an instant, by kind; a kind left out is not needed here."""
        for kind in KINDS:
            selections = found.get(kind, [])
            certificate = _first_to_end(one.certificate for one in selections)
            usable = all(one.outcome is SelectionOutcome.FOUND for one in selections)
            self._usable.labels(kind=kind).set(float(usable) if selections else float("nan"))
            age_ns, left_ns = _times_ns(certificate, at_utc_ns)
            self._age_s.labels(kind=kind).set(age_ns * 1e-9)
            self._remaining_s.labels(kind=kind).set(left_ns * 1e-9)


def _first_to_end(certificates: Iterable[Certificate | None]) -> Certificate | None:
    return min((one for one in certificates if one), key=lambda one: one.valid_until_utc_ns, default=None)


def _times_ns(certificate: Certificate | None, at_utc_ns: int) -> tuple[float, float]:
    if certificate is None:
        return float("nan"), float("nan")
    return at_utc_ns - certificate.made_utc_ns, certificate.valid_until_utc_ns - at_utc_ns


def _gauge(registry: CollectorRegistry, name: str, text: str) -> Gauge:
    return Gauge(f"joulebench_calibration_{name}", text, ("kind",), registry=registry)
