"""Selection: which certificate a run may use, or why there is none."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances

C = TypeVar("C", bound=Certificate)


class SelectionOutcome(StrEnum):
    """What the search for a certificate came to."""

    FOUND = "found"
    """One fits and holds."""
    MISSING = "calibration_missing"
    """None was ever made for these conditions, nor is any valid for others."""
    EXPIRED = "calibration_expired"
    """Those that fit hold no longer, or not yet."""
    MISMATCH = "calibration_mismatch"
    """One holds, but was made with other settings or instruments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection(Generic[C]):
    """The certificate to use, or the reason for having none."""

    outcome: SelectionOutcome
    """What the search came to; its value is a reason code."""
    certificate: C | None
    """The certificate to use; None unless one was found."""
    text: str
    """The outcome for people, with what to do about it."""


def select(certificates: Sequence[C], circumstances: Circumstances, *, at_utc_ns: int) -> Selection[C]:
    """Return the newest certificate that fits and holds at an instant, or why there is none.

    Args:
        certificates: those there are of the kind that is asked for, in any order.
        circumstances: what the run was measured with.
        at_utc_ns: when the run was measured.
    """
    ordered = [one for one in newest_first(certificates) if one.concerns(circumstances)]
    fitting = [one for one in ordered if not one.differences(circumstances)]
    for one in fitting:
        if one.valid_at(at_utc_ns):
            return Selection(outcome=SelectionOutcome.FOUND, certificate=one, text=f"certificate {one.certificate_id}")
    if fitting:
        when = "has expired" if at_utc_ns >= fitting[0].valid_until_utc_ns else "holds not yet"
        return _none(SelectionOutcome.EXPIRED, f"certificate {fitting[0].certificate_id} {when}; calibrate again")
    for one in ordered:
        if one.valid_at(at_utc_ns):
            text = f"{mismatch_text(one, circumstances)}; calibrate with those of the run"
            return _none(SelectionOutcome.MISMATCH, text)
    return _none(SelectionOutcome.MISSING, "there is no certificate for these settings; calibrate the bench")


def mismatch_text(certificate: Certificate, circumstances: Circumstances) -> str:
    """Return in what a measurement differs from what a certificate was made for; empty where it fits."""
    differing = "; ".join(certificate.differences(circumstances))
    return differing and (
        f"certificate {certificate.certificate_id} was made with other settings or instruments: {differing}"
    )


def newest_first(certificates: Iterable[C]) -> tuple[C, ...]:
    """Return certificates by the time they were made, the newest first."""
    return tuple(sorted(certificates, key=lambda one: (one.made_utc_ns, one.certificate_id), reverse=True))


def _none(outcome: SelectionOutcome, text: str) -> Selection[C]:
    return Selection(outcome=outcome, certificate=None, text=text)
