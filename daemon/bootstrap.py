"""Bootstrap: the one place that names concrete instruments, broker and store, and puts them together."""

from importlib.metadata import version

from daemon.admission import Admission
from daemon.announcer import Announcer, farewell
from daemon.application import Application
from daemon.bench_keeper import BenchKeeper
from daemon.captures import CaptureFiles
from daemon.conductor import Conductor
from daemon.configuration import Configuration
from daemon.inbox import Inbox
from daemon.measurement import Measurement
from daemon.run_conductor import RunTimes, Services
from daemon.sections.oscilloscope import AcquisitionChoice
from daemon.store import Store
from instruments.bench import Bench
from instruments.bench_settings import BenchSettings, VoltageChannel
from instruments.current_probe import CurrentProbe, ProbeAccuracy
from instruments.oscilloscope_settings import AcquisitionType
from instruments.supply_envelope import SupplyEnvelope
from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink
from runners.topics import Topics

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
        power_supply_resource=supply.resource,
        gpib_adapter_resource=supply.gpib_adapter,
        envelope=SupplyEnvelope(max_voltage_v=supply.max_voltage_v, max_current_a=supply.max_current_a),
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
        timeout_s=max(scope.timeout_s, supply.timeout_s),
    )


def application(configuration: Configuration) -> Application:
    """Build the daemon that a configuration describes; call on the event loop that will run it.

    Raises:
        StoreError: the database cannot be opened.
        SettingRefused: a value that an instrument cannot take.
    """
    software = version("joulebench")
    topics = Topics(configuration.bench.name)
    store = Store(configuration.storage.url, bench=configuration.bench.name)
    files = CaptureFiles(configuration.storage.captures_directory)
    # Who hears and who speaks need each other; what is heard finds its hearer when it arrives.
    link = BrokerLink(
        broker_address(configuration),
        client_id=configuration.mqtt_client_id,
        will=farewell(topics, version=software),
        on_message=lambda topic, payload: inbox.put(topic, payload),  # noqa: PLW0108 - it is made below
        on_connect=lambda: announcer.status(),  # noqa: PLW0108
        keepalive_s=configuration.mqtt.keepalive_s,
        clean_session=False,
    )
    announcer = Announcer(topics, link.publish, version=software)
    keeper = BenchKeeper(
        Bench(bench_settings(configuration)),
        set_points=_set_points(configuration),
        on_instruments=lambda instruments: announcer.status(instruments=instruments),
    )
    services = Services(
        bench=keeper,
        store=store,
        announcer=announcer,
        measurement=Measurement(configuration, store, files, version=software),
        times=RunTimes(
            trigger_timeout_s=configuration.runs.trigger_timeout_s,
            finished_timeout_s=configuration.runs.finished_timeout_s,
            record_s=configuration.oscilloscope.record_s,
        ),
    )
    conductor = Conductor(services, admission=Admission(configuration, files))
    inbox = Inbox(conductor, topics)
    for topic in inbox.subscriptions:
        link.subscribe(topic)
    return Application(
        bench=keeper,
        link=link,
        conductor=conductor,
        inbox=inbox,
        announcer=announcer,
        store=store,
        files=files,
    )


def _probe(configuration: Configuration) -> CurrentProbe:
    probe = configuration.probe
    plain = CurrentProbe(model=probe.model, range_v_per_a=probe.range_v_per_a, turns=probe.turns, zero_a=probe.zero_a)
    accuracy = ProbeAccuracy(
        gain_fraction_limit=probe.gain_limit,
        zero_limit_a=probe.zero_limit_a,
        noise_a_rms=plain.noise_a_rms * plain.turns,
    )
    return CurrentProbe(
        model=probe.model,
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


def _set_points(configuration: Configuration) -> dict[str, float]:
    supply = configuration.power_supply
    wanted = {"voltage_v": supply.voltage_v, "current_a": supply.current_limit_a}
    return {name: value for name, value in wanted.items() if value is not None}


def broker_address(configuration: Configuration) -> BrokerAddress:
    """Return where the configuration's broker is, and how to log in."""
    mqtt = configuration.mqtt
    return BrokerAddress(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=mqtt.password(),
    )
