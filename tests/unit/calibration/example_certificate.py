"""A certificate made for tests."""

from dataclasses import replace
from typing import Any

from calibration.certificate import CaptureUse, Provenance
from calibration.chain_certificate import ChainCertificate, Residuals
from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from metrology.estimate import Estimate

DAY_NS = 86_400_000_000_000
MADE_NS = 1_780_000_000_000_000_000

CONDITIONS = Conditions(
    channel=1, scale_a_per_div=0.2, offset_a=0.5, probe_range_v_per_a=0.1, turns=1, acquisition_type="NORM"
)
CIRCUMSTANCES = Circumstances(conditions=CONDITIONS)

CERTIFICATE = ChainCertificate(
    certificate_id="bench1-2026-05",
    gain_random=Estimate(value=1.0123, standard_uncertainty=0.002, degrees_of_freedom=8.0, source="ten loads"),
    gain_reference=Estimate.within(0.0, 0.0015, source="read-back of the supply"),
    zero_random_a=Estimate(value=-0.0217, standard_uncertainty=0.003, source="ten loads"),
    zero_reference_a=Estimate(value=0.0, standard_uncertainty=1e-4, source="read-back of the supply at no load"),
    covariance_a=-3.1e-6,
    reference="power_supply",
    residuals=Residuals(points=10, chi_squared=7.5, degrees_of_freedom=8, p_value=0.48),
    conditions=CONDITIONS,
    made_utc_ns=MADE_NS,
    valid_from_utc_ns=MADE_NS,
    valid_until_utc_ns=MADE_NS + 30 * DAY_NS,
    provenance=Provenance(
        procedure="current-chain",
        made_by="A. Müller",
        software_version="0.1.0",
        instruments={"power_supply": "Agilent Technologies,E3645A,0,2.6-6.1-2.1"},
        environment={"temperature_c": "23"},
        captures=(CaptureUse(capture_id="gain-1", sha256="ab" * 32),),
        note="before the campaign",
    ),
)


def certificate(name: str = "one", *, day: int = 0, lasting_days: int = 30, **changes: Any) -> ChainCertificate:
    """Return a certificate made and valid from a day on, counted from `MADE_NS`."""
    made_ns = MADE_NS + day * DAY_NS
    times = {
        "made_utc_ns": made_ns,
        "valid_from_utc_ns": made_ns,
        "valid_until_utc_ns": made_ns + lasting_days * DAY_NS,
    }
    return replace(CERTIFICATE, certificate_id=name, **(times | changes))
