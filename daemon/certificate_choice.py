"""Certificate choice: which certificates a run may use, and what is wrong where there is none."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from calibration.certificate import Certificate
from calibration.chain_certificate import ChainCertificate
from calibration.circumstances import Circumstances
from calibration.delay_certificate import DelayCertificate
from calibration.lead_certificate import LeadCertificate
from calibration.selection import Selection, SelectionOutcome, mismatch_text, select
from calibration.store import CertificateStore
from calibration.zero_certificate import ZeroCertificate
from daemon.configuration import Configuration
from daemon.errors import CertificateDemandError
from daemon.sections.storage import MissingCertificate
from metrology.quality import Reason, ReasonCode, Verdict

C = TypeVar("C", bound=Certificate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Certificates for one run; each None where there is none to use."""

    chain: ChainCertificate | None = None
    """Gain and zero of the current chain."""
    zero: ZeroCertificate | None = None
    """Zero of the chain and of the supply's ammeter, opening the bracket about the run."""
    supply_zero: ZeroCertificate | None = None
    """Where the supply's offset comes from: the zero itself, or an older one where that was taken at an open jaw."""
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
        found = (self.chain, self.zero, self.supply_zero, self.closing, self.lead, self.delay)
        return tuple({one.certificate_id: one for one in found if one is not None}.values())

    @property
    def bracket_drift_a(self) -> float | None:
        """How far the zero moved over the bracket, in amperes; None while it is open."""
        drift_a = None if self.closing is None else self.closing.bracket_drift_a
        return None if drift_a is None else drift_a.value

    def without_all_but(self, certificate_ids: Collection[str]) -> "Choice":
        """Return the choice less every certificate that is not among these."""
        places = ("chain", "zero", "supply_zero", "closing", "lead", "delay")
        left = {name: one for name in places if (one := getattr(self, name)) and one.certificate_id in certificate_ids}
        return Choice(**left, reasons=self.reasons)


class CertificateChooser:
    """Chooses certificates for runs on one bench."""

    def __init__(self, configuration: Configuration, store: CertificateStore | None = None) -> None:
        self._configuration = configuration
        self._store = store or CertificateStore(configuration.calibration.directory)

    def chain(self, circumstances: Circumstances, *, at_utc_ns: int) -> Selection[ChainCertificate]:
        """Return the certificate of the current chain for an instant, or why there is none.

        Raises:
            CertificateFileError: a file was changed or damaged.
        """
        return self._store.select(ChainCertificate, circumstances, at_utc_ns=at_utc_ns)

    def choose(
        self, circumstances: Circumstances, *, at_utc_ns: int, demanded: Sequence[str] = (), by_marker: bool = True
    ) -> Choice:
        """Choose for a run.

        Args:
            circumstances: what it was measured with.
            at_utc_ns: when it was measured.
            demanded: identifiers of certificates to use whatever they hold for, each in the place of its kind; where
                one does not hold, the result says so.
            by_marker: a marker may place its batches, so that the delay of the marker matters.

        Raises:
            CertificateDemandError: two certificates of one kind are demanded.
            CertificateFileError: a file was changed, damaged, or is not there.
        """
        search = _Search(self._store, circumstances, at_utc_ns, self._demanded(demanded))
        accepted = self._configuration.calibration.missing is MissingCertificate.ACCEPT
        chain, zero = search.of(ChainCertificate), search.of(ZeroCertificate)
        lead, delay = search.of(LeadCertificate), search.of(DelayCertificate)
        reasons = [_policy_reasons(chain, accepted=accepted, needed=True)]
        if chain.certificate is not None:  # without it a zero is not used, so that it cannot be wrong either
            reasons.append(_policy_reasons(zero, accepted=accepted))
        if not circumstances.remote_sense:
            reasons.append(_policy_reasons(lead, accepted=accepted))
        if by_marker:
            reasons.append(_policy_reasons(delay, accepted=accepted))
        return Choice(
            chain=chain.certificate,
            zero=zero.certificate,
            supply_zero=_supply_zero(zero.certificate, search.zero_with_supply),
            closing=self._closing(zero.certificate, at_utc_ns=at_utc_ns),
            lead=lead.certificate,
            delay=delay.certificate,
            reasons=(*(one for some in reasons for one in some), *search.demanded_reasons()),
        )

    def _demanded(self, certificate_ids: Sequence[str]) -> Mapping[type[Certificate], Certificate]:
        """Return the certificates that are demanded, by their kind."""
        found: dict[type[Certificate], Certificate] = {}
        for one in map(self._store.read, dict.fromkeys(certificate_ids)):
            other = found.setdefault(type(one), one)
            if other is not one:
                raise CertificateDemandError(one.KIND, other.certificate_id, one.certificate_id)
        return found

    def _closing(self, zero: ZeroCertificate | None, *, at_utc_ns: int) -> ZeroCertificate | None:
        """Return the first zero after the run that closed the bracket which this one opened before it."""
        if zero is None or zero.made_utc_ns > at_utc_ns:
            return None
        closing = [
            one
            for one in self._store.of_kind(ZeroCertificate)
            if one.opened_by == zero.certificate_id and one.made_utc_ns > at_utc_ns
        ]
        return min(closing, key=lambda one: one.made_utc_ns, default=None)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for the certificates of one run."""

    store: CertificateStore
    circumstances: Circumstances
    at_utc_ns: int
    demanded: Mapping[type[Certificate], Certificate]

    def of(self, kind: type[C]) -> Selection[C]:
        """Return the certificate of a kind: the one that is demanded, or the one that fits best."""
        demanded = self.demanded.get(kind)
        if isinstance(demanded, kind):
            return Selection(outcome=SelectionOutcome.FOUND, certificate=demanded, text="demanded")
        return self.store.select(kind, self.circumstances, at_utc_ns=self.at_utc_ns)

    def zero_with_supply(self) -> ZeroCertificate | None:
        """Return the newest zero that fits, holds, and has the supply's offset too."""
        zeros = [one for one in self.store.of_kind(ZeroCertificate) if one.supply_offset_a is not None]
        return select(zeros, self.circumstances, at_utc_ns=self.at_utc_ns).certificate

    def demanded_reasons(self) -> tuple[Reason, ...]:
        """Return a reason for whatever the demanded certificates do not hold for."""
        return tuple(
            reason
            for one in self.demanded.values()
            for reason in _unfit(one, self.circumstances, at_utc_ns=self.at_utc_ns)
        )


def _supply_zero(
    zero: ZeroCertificate | None, with_supply: Callable[[], ZeroCertificate | None]
) -> ZeroCertificate | None:
    """Return where to take the supply's offset from: a jaw that is opened leaves what was known of the supply true."""
    return zero if zero is None or zero.supply_offset_a is not None else with_supply()


def _policy_reasons(selection: Selection[C], *, accepted: bool, needed: bool = False) -> tuple[Reason, ...]:
    """Return what it makes of a result that there is no certificate; a mismatch always degrades it.

    Args:
        selection: what the search for one kind came to.
        accepted: the data sheets' limits may stand in for one that is missing or expired.
        needed: it is missed even where none was ever made.
    """
    outcome = selection.outcome
    silent = outcome is SelectionOutcome.FOUND or (outcome is SelectionOutcome.MISSING and not needed)
    if silent or (accepted and outcome is not SelectionOutcome.MISMATCH):
        return ()
    return (_degraded(ReasonCode(outcome.value), f"{selection.text}; the declared limits stand"),)


def _unfit(certificate: Certificate, circumstances: Circumstances, *, at_utc_ns: int) -> tuple[Reason, ...]:
    """Return what a demanded certificate does not hold for; one that was made later holds as long back as forward."""
    found: tuple[Reason, ...] = ()
    if not (certificate.valid_at(at_utc_ns) or certificate.valid_late(at_utc_ns)):
        expired = at_utc_ns >= certificate.valid_until_utc_ns
        when = "had expired when the run was measured" if expired else "was made longer after the run than it holds"
        found += (_degraded(ReasonCode.CALIBRATION_EXPIRED, f"certificate {certificate.certificate_id} {when}"),)
    if differing := mismatch_text(certificate, circumstances):
        found += (_degraded(ReasonCode.CALIBRATION_MISMATCH, differing),)
    return found


def _degraded(code: ReasonCode, text: str) -> Reason:
    return Reason(code=code, verdict=Verdict.DEGRADED, text=text)
