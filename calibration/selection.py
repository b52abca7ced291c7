"""Selection: which certificate a run may use, or why there is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from calibration.certificate import Certificate
from calibration.conditions import Conditions


class SelectionOutcome(StrEnum):
    """What the search for a certificate came to."""

    FOUND = "found"
    """One fits and holds."""
    MISSING = "calibration_missing"
    """None was ever made for these conditions, nor is any valid for others."""
    EXPIRED = "calibration_expired"
    """Those that fit hold no longer, or not yet."""
    MISMATCH = "calibration_mismatch"
    """One holds, but was made with other settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The certificate to use, or the reason for having none."""

    outcome: SelectionOutcome
    """What the search came to; its value is a reason code."""
    certificate: Certificate | None
    """The certificate to use; None unless one was found."""
    text: str
    """The outcome for people, with what to do about it."""


def select(certificates: Sequence[Certificate], conditions: Conditions, *, at_utc_ns: int) -> Selection:
    """Return the newest certificate that fits the conditions and holds at an instant, or why there is none.

    Args:
        certificates: those there are, in any order.
        conditions: settings of the run.
        at_utc_ns: when the run was measured.
    """
    ordered = newest_first(certificates)
    fitting = [one for one in ordered if not one.conditions.differences(conditions)]
    for one in fitting:
        if one.valid_at(at_utc_ns):
            return _selection(SelectionOutcome.FOUND, f"certificate {one.certificate_id}", certificate=one)
    if fitting:
        when = "has expired" if at_utc_ns >= fitting[0].valid_until_utc_ns else "holds not yet"
        return _selection(SelectionOutcome.EXPIRED, f"certificate {fitting[0].certificate_id} {when}; calibrate again")
    for one in ordered:
        if one.valid_at(at_utc_ns):
            differing = "; ".join(one.conditions.differences(conditions))
            text = f"certificate {one.certificate_id} was made with other settings: {differing}"
            return _selection(SelectionOutcome.MISMATCH, f"{text}; calibrate with those of the run")
    return _selection(SelectionOutcome.MISSING, "there is no certificate for these settings; calibrate the bench")


def newest_first(certificates: Iterable[Certificate]) -> tuple[Certificate, ...]:
    """Return certificates by the time they were made, the newest first."""
    return tuple(sorted(certificates, key=lambda one: (one.made_utc_ns, one.certificate_id), reverse=True))


def _selection(outcome: SelectionOutcome, text: str, *, certificate: Certificate | None = None) -> Selection:
    return Selection(outcome=outcome, certificate=certificate, text=text)
