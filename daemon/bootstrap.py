"""Bootstrap: the one place that names concrete instruments, broker and store, and puts them together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from daemon.admission import Admission
from daemon.announcer import Announcer, farewell
from daemon.application import Application
from daemon.bench_configuration import bench_settings
from daemon.bench_keeper import BenchKeeper
from daemon.bench_lock import BenchLock
from daemon.captures import CaptureFiles
from daemon.clock_responder import ClockResponder
from daemon.conductor import Conductor
from daemon.configuration import Configuration
from daemon.inbox import Inbox
from daemon.measurement import Measurement
from daemon.metrics import Metrics
from daemon.outbox import Outbox
from daemon.power_responder import PowerResponder
from daemon.retention_task import RetentionTask
from daemon.run_conductor import RunTimes, Services
from daemon.sections.power_supply import TripChoice
from daemon.store import Store
from instruments.bench import Bench
from instruments.connector import Connector
from instruments.recovery import Recovery
from instruments.transcripts.recorded_connection import RecordingConnector
from instruments.transcripts.transcript_file import TranscriptFile
from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink
from runners.incoming import Handled
from runners.topics import Topics

__all__ = ["application", "bench_settings", "broker_address", "recording_to"]


def application(
    configuration: Configuration,
    *,
    monotonic_ns: Callable[[], int] = time.monotonic_ns,
    connector: Connector | None = None,
    on_recovery: Callable[[Recovery], None] = lambda _: None,
) -> Application:
    """Build the daemon that a configuration describes; call on the event loop that will run it.

    Args:
        configuration: everything.
        monotonic_ns: the lab's clock for synchronisation; the world's where a simulated one runs faster than ours.
        connector: makes the sessions to the instruments; None: through PyVISA.
        on_recovery: told, beside log and metrics, how each instrument was brought back.

    Raises:
        StoreError: the database cannot be opened.
        SettingRefused: a value that an instrument cannot take.
    """
    software = version("joulebench")
    topics = Topics(configuration.bench.name)
    store = Store(configuration.storage.url, bench=configuration.bench.name)
    files = CaptureFiles(configuration.storage.captures_directory)

    # Who hears and who speaks need each other; what is heard finds its hearer when it arrives.
    def hear(topic: str, payload: bytes) -> Handled:
        # The clock first of all: an answer to it tells the less the later it comes.
        if clock.take(topic, payload) or power.take(topic):
            return None
        return inbox.put(topic, payload)

    def greet() -> None:
        announcer.status()
        outbox.look()

    link = BrokerLink(
        broker_address(configuration),
        client_id=configuration.mqtt_client_id,
        will=farewell(topics, version=software),
        on_message=hear,
        on_connect=greet,
        keepalive_s=configuration.mqtt.keepalive_s,
        clean_session=False,
    )
    metrics = Metrics()

    def recovered(recovery: Recovery) -> None:
        metrics.recovered(recovery)
        on_recovery(recovery)

    announcer = Announcer(topics, link.publish, version=software)
    outbox = Outbox(store, announcer)
    keeper = BenchKeeper(
        Bench(bench_settings(configuration), connector=connector, monotonic_ns=monotonic_ns),
        set_points=_set_points(configuration),
        on_instruments=lambda instruments: announcer.status(instruments=instruments),
        on_recovery=recovered,
        clears_trip=configuration.power_supply.after_trip is TripChoice.CLEAR,
    )
    services = Services(
        bench=keeper,
        store=store,
        announcer=announcer,
        outbox=outbox,
        measurement=Measurement(configuration, store, files, version=software),
        times=RunTimes(
            trigger_timeout_s=configuration.runs.trigger_timeout_s,
            finished_timeout_s=configuration.runs.finished_timeout_s,
            record_s=configuration.oscilloscope.record_s,
            marker_grace_s=configuration.oscilloscope.record_s * configuration.oscilloscope.pretrigger_fraction / 2,
        ),
        connected=link.connected.is_set,
        on_failure=metrics.failed,
    )
    conductor = Conductor(services, admission=Admission(configuration, files))
    inbox, clock = Inbox(conductor, topics), ClockResponder(topics, monotonic_ns=monotonic_ns)
    power = PowerResponder(topics, keeper, link.publish, current_run=lambda: conductor.current_run)
    for topic in (*inbox.subscriptions, clock.subscription, power.subscription):
        link.subscribe(topic)
    return Application(
        bench=keeper,
        link=link,
        conductor=conductor,
        inbox=inbox,
        clock=clock,
        power=power,
        announcer=announcer,
        outbox=outbox,
        store=store,
        files=files,
        lock=BenchLock(configuration),
        metrics=metrics,
        retention=RetentionTask(configuration, lambda: conductor.current_run),
        metrics_address=metrics_address(configuration),
    )


@contextmanager
def recording_to(path: Path | None, *, limit_bytes: int | None = None) -> Iterator[Connector | None]:
    """Yield the connector that writes a transcript into a file; None where no file is named.

    Args:
        path: the file.
        limit_bytes: largest size that it may have, in bytes, where the recording ends; None: no limit.

    Raises:
        BadTranscript: the file exists, or cannot be made.
    """
    if path is None:
        yield None
        return
    with TranscriptFile(path, limit_bytes=limit_bytes) as transcript:
        yield RecordingConnector(transcript)


def _set_points(configuration: Configuration) -> dict[str, float]:
    supply = configuration.power_supply
    wanted = {"voltage_v": supply.voltage_v, "current_a": supply.current_limit_a, "ovp_v": supply.ovp_v}
    return {name: value for name, value in wanted.items() if value is not None}


def metrics_address(configuration: Configuration) -> tuple[str, int] | None:
    """Return where the configuration has its metrics served, as host and port; None where they are not."""
    section = configuration.metrics
    return None if section.port is None else (section.host, section.port)


def broker_address(configuration: Configuration) -> BrokerAddress:
    """Return where the configuration's broker is, and how to log in."""
    mqtt = configuration.mqtt
    return BrokerAddress(
        host=mqtt.host,
        port=mqtt.port,
        username=mqtt.username,
        password=mqtt.password(),
    )
