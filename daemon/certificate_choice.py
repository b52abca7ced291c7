"""Certificate choice: which certificates a run may use, and what is wrong where there is none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calibration.certificate import Certificate
from calibration.chain_certificate import ChainCertificate
from calibration.conditions import Conditions
from calibration.delay_certificate import DelayCertificate
from calibration.lead_certificate import LeadCertificate
from calibration.selection import Selection, SelectionOutcome
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from daemon.configuration import Configuration
from daemon.sections.storage import MissingCertificate
from metrology.quality import Reason, ReasonCode, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Certificates for one run; each None where there is none to use."""

    chain: ChainCertificate | None = None
    """Gain and zero of the current chain."""
    zero: ZeroCertificate | None = None
    """Zero of the chain and of the supply's ammeter, opening the bracket about the run."""
    closing: ZeroCertificate | None = None
    """The zero that closed this bracket after the run."""
    lead: LeadCertificate | None = None
    """Resistance of the leads."""
    delay: DelayCertificate | None = None
    """Delay between the board's marker and its current."""
    reasons: tuple[Reason, ...] = ()
    """What is wrong with them."""

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """Those that there are."""
        found = (self.chain, self.zero, self.closing, self.lead, self.delay)
        return tuple(one for one in found if one is not None)

    @property
    def bracket_drift_a(self) -> float | None:
        """How far the zero moved over the bracket, in amperes; None while it is open."""
        drift_a = None if self.closing is None else self.closing.bracket_drift_a
        return None if drift_a is None else drift_a.value


class CertificateChooser:
    """Chooses certificates for runs on one bench."""

    def __init__(self, configuration: Configuration, store: CertificateStore | None = None) -> None:
        self._configuration = configuration
        self._store = store or CertificateStore(configuration.calibration.directory)

    def chain(self, conditions: Conditions, *, at_utc_ns: int) -> Selection[ChainCertificate]:
        """Return the certificate of the current chain for an instant, or why there is none.

        Raises:
            CertificateFileError: a file was changed or damaged.
        """
        return self._store.select(conditions, at_utc_ns=at_utc_ns)

    def choose(self, conditions: Conditions, *, board: str, at_utc_ns: int, demanded: Sequence[str] = ()) -> Choice:
        """Choose for a run.

        Args:
            conditions: settings that it was measured with.
            board: board that ran.
            at_utc_ns: when it was measured.
            demanded: identifiers of certificates to use whatever they hold for, each in the place of its kind; where
                one does not hold, the result says so.

        Raises:
            CertificateFileError: a file was changed, damaged, or is not there.
        """
        selection = self.chain(conditions, at_utc_ns=at_utc_ns)
        choice = Choice(
            chain=selection.certificate,
            zero=self._store.select_zero(conditions, at_utc_ns=at_utc_ns).certificate,
            lead=self._lead(at_utc_ns),
            delay=self._store.select_delay(board, at_utc_ns=at_utc_ns).certificate,
            reasons=self._policy_reasons(selection),
        )
        for certificate_id in demanded:
            choice = _demand(choice, self._store.read(certificate_id), conditions, at_utc_ns=at_utc_ns)
        return replace(choice, closing=self._closing(choice.zero, at_utc_ns=at_utc_ns))

    def _lead(self, at_utc_ns: int) -> LeadCertificate | None:
        remote_sense = self._configuration.leads.remote_sense
        return self._store.select_lead(remote_sense=remote_sense, at_utc_ns=at_utc_ns).certificate

    def _closing(self, zero: ZeroCertificate | None, *, at_utc_ns: int) -> ZeroCertificate | None:
        """Return the first zero after the run that closed the bracket which this one opened."""
        if zero is None:
            return None
        closing = [
            one
            for one in self._store.of_kind(ZeroCertificate)
            if one.opened_by == zero.certificate_id and one.made_utc_ns > at_utc_ns
        ]
        return min(closing, key=lambda one: one.made_utc_ns, default=None)

    def _policy_reasons(self, selection: Selection[ChainCertificate]) -> tuple[Reason, ...]:
        """Return what a missing certificate of the chain makes of a result; a mismatch always degrades it."""
        outcome = selection.outcome
        accepted = self._configuration.calibration.missing is MissingCertificate.ACCEPT
        if outcome is SelectionOutcome.FOUND or (accepted and outcome is not SelectionOutcome.MISMATCH):
            return ()
        return (_degraded(ReasonCode(outcome.value), f"{selection.text}; the data sheets' limits stand"),)


def _demand(choice: Choice, certificate: Certificate, conditions: Conditions, *, at_utc_ns: int) -> Choice:
    """Put a certificate in the place of its kind, with a reason for whatever it does not hold for."""
    reasons = choice.reasons
    if isinstance(certificate, ChainCertificate):
        reasons = tuple(one for one in reasons if one.code not in _CHAIN_CODES)
        choice = replace(choice, chain=certificate)
    elif isinstance(certificate, ZeroCertificate):
        choice = replace(choice, zero=certificate)
    elif isinstance(certificate, LeadCertificate):
        choice = replace(choice, lead=certificate)
    elif isinstance(certificate, DelayCertificate):
        choice = replace(choice, delay=certificate)
    return replace(choice, reasons=(*reasons, *_unfit(certificate, conditions, at_utc_ns=at_utc_ns)))


_CHAIN_CODES = {ReasonCode(one.value) for one in SelectionOutcome if one is not SelectionOutcome.FOUND}


def _unfit(certificate: Certificate, conditions: Conditions, *, at_utc_ns: int) -> tuple[Reason, ...]:
    found: tuple[Reason, ...] = ()
    name = certificate.certificate_id
    if not certificate.valid_at(at_utc_ns):
        found += (_degraded(ReasonCode.CALIBRATION_EXPIRED, f"certificate {name} was not valid when the run was"),)
    if isinstance(certificate, LeadCertificate):
        return found
    if isinstance(certificate, ChainCertificate | ZeroCertificate | DelayCertificate):
        differing = "; ".join(certificate.conditions.differences(conditions))
        if differing:
            text = f"certificate {name} was made with other settings: {differing}"
            found += (_degraded(ReasonCode.CALIBRATION_MISMATCH, text),)
    return found


def _degraded(code: ReasonCode, text: str) -> Reason:
    return Reason(code=code, verdict=Verdict.DEGRADED, text=text)
