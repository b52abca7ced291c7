"""Kinds: every kind of certificate by its name."""

from calibration.certificate import Certificate
from calibration.chain_certificate import ChainCertificate
from calibration.delay_certificate import DelayCertificate
from calibration.lead_certificate import LeadCertificate
from calibration.zero_certificate import ZeroCertificate

KINDS: dict[str, type[Certificate]] = {
    kind.KIND: kind for kind in (ChainCertificate, ZeroCertificate, DelayCertificate, LeadCertificate)
}
"""Class of a certificate by the name of its kind."""
