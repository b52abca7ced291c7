"""Bench configuration: the instruments' settings, and the conditions of a measurement, from the configuration."""

from collections.abc import Mapping

from calibration.bench_conditions import conditions_of
from calibration.circumstances import Circumstances
from calibration.conditions import Conditions
from daemon.configuration import Configuration
from daemon.sections.oscilloscope import AcquisitionChoice
from instruments.bench_settings import BenchSettings, OutputOnExit, VoltageChannel
from instruments.current_probe import CurrentProbe, ProbeAccuracy
from instruments.oscilloscope_settings import AcquisitionType
from instruments.serial_line import SerialLine, SerialParity
from instruments.supply_envelope import SupplyEnvelope

ACQUISITION_TYPES = {
    AcquisitionChoice.NORMAL: AcquisitionType.NORMAL,
    AcquisitionChoice.HIGH_RESOLUTION: AcquisitionType.HIGH_RESOLUTION,
}


def bench_settings(configuration: Configuration) -> BenchSettings:
    """Return the bench that a configuration describes.

    Raises:
        SettingRefused: a value that an instrument cannot take.
    """
    scope, supply = configuration.oscilloscope, configuration.power_supply
    return BenchSettings(
        oscilloscope_resource=scope.resource,
        oscilloscope_driver=scope.driver,
        power_supply_resource=supply.resource,
        power_supply_driver=supply.driver,
        gpib_adapter_resource=supply.gpib_adapter,
        envelope=SupplyEnvelope(max_voltage_v=supply.max_voltage_v, max_current_a=supply.max_current_a),
        output_on_exit=OutputOnExit(supply.output_on_exit.value),
        soft_start_s=supply.soft_start_s,
        audit_directory=configuration.storage.audit_directory,
        name=configuration.bench.name,
        dry_run=configuration.safety.dry_run,
        serial_line=SerialLine(baud=supply.baud, parity=SerialParity(supply.parity.value)),
        probe=_probe(configuration),
        current_channel=scope.current_channel,
        current_scale_a_per_div=scope.current_scale_a_per_div,
        current_offset_a=scope.current_offset_a,
        voltage=_voltage_channel(configuration),
        marker_bit=scope.marker_bit,
        marker_threshold_v=scope.marker_threshold_v,
        record_s=scope.record_s,
        pretrigger_fraction=scope.pretrigger_fraction,
        acquisition=ACQUISITION_TYPES[scope.acquisition_type],
        restore_front_panel=scope.restore_front_panel,
        timeout_s=max(scope.timeout_s, supply.timeout_s),
    )


def _probe(configuration: Configuration) -> CurrentProbe:
    probe = configuration.probe
    declaration = probe.declaration()
    accuracy = ProbeAccuracy(
        gain_fraction_limit=probe.gain_limit,
        zero_limit_a=probe.zero_limit_a,
        noise_a_rms=declaration.at(probe.range_v_per_a).noise_a_rms,
    )
    return CurrentProbe(
        declaration=declaration,
        range_v_per_a=probe.range_v_per_a,
        turns=probe.turns,
        zero_a=probe.zero_a,
        accuracy=accuracy,
    )


def _voltage_channel(configuration: Configuration) -> VoltageChannel | None:
    scope = configuration.oscilloscope
    if scope.voltage_channel is None:
        return None
    return VoltageChannel(
        number=scope.voltage_channel,
        scale_v_per_div=scope.voltage_scale_v_per_div,
        offset_v=scope.voltage_offset_v,
        probe_ratio=scope.voltage_probe_ratio,
    )


def conditions(configuration: Configuration) -> Conditions:
    """Return the conditions under which a bench of this configuration measures, as certificates compare them."""
    return conditions_of(bench_settings(configuration))


def circumstances(
    configuration: Configuration, *, instruments: Mapping[str, str] | None = None, board: str = ""
) -> Circumstances:
    """Return under which circumstances a bench of this configuration measures.

    Args:
        configuration: the bench.
        instruments: identity string by role, as far as they are known.
        board: the board that is measured, where one is concerned.
    """
    return Circumstances(
        conditions=conditions(configuration),
        instruments=dict(instruments or {}),
        remote_sense=configuration.leads.remote_sense,
        board=board,
    )
