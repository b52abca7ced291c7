"""Accuracy: what certificates and the configuration say of the instruments, as inputs of the measurement model."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from calibration.certificate import Certificate
from calibration.circumstances import Circumstances
from calibration.document import sha256_of
from daemon.certificate_choice import Choice
from daemon.configuration import Configuration
from metrology.estimate import Estimate
from metrology.influences import Influences
from metrology.quality import Reason
from metrology.supply_ammeter import SupplyAmmeter

DECLARED = "declared limits (data sheet unless configured otherwise)"
"""Source of an influence that no certificate replaces."""
DECLARED_DELAY = "declared limit of the board's marker; `calibrate delay` measures it"
EXACT_BY_CHAIN = "held by the certificate of the current chain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """All that is known of the bench's systematic errors for one run, and where it comes from."""

    influences: Influences
    """Inputs of the measurement model."""
    certificates: tuple[Certificate, ...]
    """Certificates that were used."""
    reasons: tuple[Reason, ...]
    """What is wrong with them."""

    @property
    def checksums(self) -> tuple[str, ...]:
        """Checksum of each certificate's content."""
        return tuple(sha256_of(one) for one in self.certificates)


def accuracy_of(
    configuration: Configuration, choice: Choice, circumstances: Circumstances, *, supply_voltage_v: float
) -> Accuracy:
    """Return what is known of the bench for a run.

    Args:
        configuration: the bench.
        choice: the certificates that the run may use.
        circumstances: what the run was measured with.
        supply_voltage_v: voltage about which the supply's read-back is used, in volts.
    """
    declared = declared_influences(configuration, circumstances, supply_voltage_v=supply_voltage_v)
    influences = _with_delay(_with_lead(_with_zero(_with_chain(declared, choice), choice), choice), choice)
    return Accuracy(
        influences=replace(influences, names=error_names(configuration.bench.name, choice, circumstances)),
        certificates=choice.certificates,
        reasons=choice.reasons,
    )


def declared_influences(
    configuration: Configuration, circumstances: Circumstances, *, supply_voltage_v: float
) -> Influences:
    """Return the influences as data sheets and declarations bound them, for the settings of the measurement.

    Args:
        configuration: the limits; its settings may have changed since.
        circumstances: what was measured with.
        supply_voltage_v: voltage about which the supply's read-back is used, in volts.
    """
    scope, probe, supply = configuration.oscilloscope, configuration.probe, configuration.power_supply
    settings, leads = circumstances.conditions, configuration.leads
    sensed = circumstances.remote_sense
    lead_ohm, lead_limit_ohm = (0.0, 0.0) if sensed else (leads.resistance_ohm, leads.resistance_limit_ohm)
    offset_limit_a = (
        scope.offset_limit_div * settings.scale_a_per_div
        + scope.offset_limit_v / (settings.probe_range_v_per_a * settings.turns)
        + scope.offset_limit_fraction * abs(settings.offset_a)
    )
    read_back_v = supply.readback_gain_limit * abs(supply_voltage_v) + supply.readback_limit_v
    return Influences(
        probe_gain=Estimate.within(1.0, probe.gain_limit, source=DECLARED),
        probe_zero_a=Estimate.within(probe.zero_a, probe.zero_limit_a / settings.turns, source=DECLARED),
        probe_drift_a=Estimate.within(0.0, probe.drift_limit_a / settings.turns, source=DECLARED),
        scope_gain_error=Estimate.within(0.0, scope.gain_limit, source=DECLARED),
        scope_centre_a=settings.offset_a,
        scope_offset_a=Estimate.within(0.0, offset_limit_a, source=DECLARED),
        supply_voltage_error_v=Estimate.within(0.0, read_back_v, source=DECLARED),
        lead_resistance_ohm=Estimate.within(lead_ohm, lead_limit_ohm, source=DECLARED),
        clock_error=Estimate.within(0.0, scope.clock_limit, source=DECLARED),
        ammeter=SupplyAmmeter(
            gain_error=Estimate.within(0.0, supply.current_readback_gain_limit, source=DECLARED),
            offset_a=Estimate.within(0.0, supply.current_readback_limit_a, source=DECLARED),
        ),
        rise_delay_s=Estimate.within(0.0, scope.marker_delay_limit_s, source=DECLARED_DELAY),
        fall_delay_s=Estimate.within(0.0, scope.marker_delay_limit_s, source=DECLARED_DELAY),
        turns=settings.turns,
    )


def _with_chain(influences: Influences, choice: Choice) -> Influences:
    """Return the influences with gain and zero of the certified chain, which hold the channel's own errors too."""
    chain = choice.chain
    if chain is None or influences.ammeter is None:
        return influences
    exact = Estimate(value=0.0, standard_uncertainty=0.0, source=EXACT_BY_CHAIN)
    reference = _relative(chain.gain_reference, chain.gain_random.value)
    ammeter = influences.ammeter
    return replace(
        influences,
        probe_gain=chain.gain_random,
        probe_zero_a=chain.zero_a,
        gain_zero_correlation=_zero_correlation(chain.random_correlation, chain.zero_random_a, chain.zero_a),
        scope_gain_error=exact,
        scope_offset_a=exact,
        gain_from_ammeter=chain.shares_supply,
        gain_reference_error=None if chain.shares_supply else reference,
        ammeter=replace(ammeter, gain_error=reference) if chain.shares_supply else ammeter,
    )


def _relative(reference: Estimate, gain: float) -> Estimate:
    return replace(reference, value=0.0, standard_uncertainty=reference.standard_uncertainty / gain)


def _zero_correlation(correlation: float, random: Estimate, both: Estimate) -> float:
    """Return the correlation of gain and zero where the reference's own, uncorrelated part is in the zero too."""
    whole = both.standard_uncertainty
    return correlation * random.standard_uncertainty / whole if whole > 0 else 0.0


def _with_zero(influences: Influences, choice: Choice) -> Influences:
    """Return the influences with the zero of its own certificate, and the supply's offset, which makes it followable.

    Without a certified chain the zero is of no use: the gain's limits would still move it.
    """
    zero, ammeter = choice.zero, influences.ammeter
    if zero is None or choice.chain is None or ammeter is None:
        return influences
    offset_a = None if choice.supply_zero is None else choice.supply_zero.supply_offset_a
    return replace(
        influences,
        probe_zero_a=zero.zero_a,
        gain_zero_correlation=0.0,
        ammeter=ammeter if offset_a is None else replace(ammeter, offset_a=offset_a),
        follow_zero=offset_a is not None,
        bracket_drift_a=choice.bracket_drift_a,
    )


def _with_lead(influences: Influences, choice: Choice) -> Influences:
    lead = choice.lead
    return influences if lead is None else replace(influences, lead_resistance_ohm=lead.resistance_ohm)


def _with_delay(influences: Influences, choice: Choice) -> Influences:
    delay = choice.delay
    if delay is None:
        return influences
    return replace(influences, rise_delay_s=delay.rise_delay_s, fall_delay_s=delay.fall_delay_s)


def error_names(bench: str, choice: Choice, circumstances: Circumstances) -> Mapping[str, str]:
    """Return the name of the error behind each budget term: runs that share the name share the error.

    Without a certificate it names whatever the error belongs to: the instrument, and those of its settings with which
    another error of the same limits takes its place.

    Args:
        bench: name of the bench.
        choice: the certificates that the run uses.
        circumstances: what it was measured with.
    """
    chain, zero, supply_zero = _name(choice.chain), _name(choice.zero), _name(choice.supply_zero)
    lead, delay = _name(choice.lead), _name(choice.delay)
    own = _declared_names(bench, circumstances)
    return {
        **own,
        "probe gain": chain or own["probe gain"],
        "gain reference": chain or own["probe gain"],
        "probe zero": zero or chain or own["probe zero"],
        "supply offset": supply_zero or own["supply offset"],
        "lead drop": lead or own["lead drop"],
        # each board's marker is late in its own way, so that without a certificate nothing is known to be shared
        **({} if delay is None else {f"marker {edge} delay": f"{delay}: {edge}" for edge in ("rise", "fall")}),
    }


def _declared_names(bench: str, circumstances: Circumstances) -> dict[str, str]:
    """Return the names of errors within declared limits."""
    scope, probe, supply = (
        f"{bench} {identity}".rstrip()
        for identity in (circumstances.instruments.get(role, "") for role in ("oscilloscope", "probe", "power_supply"))
    )
    settings = circumstances.conditions
    probe = f"{probe}, {settings.probe_range_v_per_a:g} V/A"
    path = f"channel {settings.channel}, {settings.volts_per_div:g} V/div"
    return {
        "supply ammeter": f"{supply}: supply ammeter",
        "supply voltage": f"{supply}: supply voltage",
        "supply offset": f"{supply}: supply offset",
        "sample clock": f"{scope}: sample clock",
        "scope gain": f"{scope}, {path}: scope gain",
        "scope offset": f"{scope}, {path}, {settings.offset_a:g} A at the centre: scope offset",
        "probe gain": f"{probe}: probe gain",
        "probe zero": f"{probe}: probe zero",
        "lead drop": f"{bench}: lead drop",
    }


def _name(certificate: Certificate | None) -> str | None:
    return None if certificate is None else certificate.certificate_id
