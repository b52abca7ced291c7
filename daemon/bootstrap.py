"""Bootstrap: the one place that names concrete instruments, broker and store, and puts them together."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.admission import Admission
from daemon.announcer import Announcer, farewell
from daemon.application import Application
from daemon.bench_configuration import bench_settings
from daemon.bench_keeper import BenchKeeper
from daemon.bench_lock import BenchLock
from daemon.bench_patrol import BenchPatrol
from daemon.captures import CaptureFiles
from daemon.clock_responder import ClockResponder
from daemon.conductor import Conductor
from daemon.configuration import Configuration
from daemon.configuration_in_force import ConfigurationInForce
from daemon.exit_mark import ExitMark
from daemon.health.asked_metrics import ask
from daemon.health.health_desk import HealthDesk
from daemon.health.loop_watch import LoopWatch
from daemon.health.progress_watch import ProgressWatch
from daemon.health.surroundings import Surroundings
from daemon.inbox import Inbox
from daemon.measurement import Measurement
from daemon.metrics import Metrics
from daemon.outbox import Outbox
from daemon.power_responder import PowerResponder
from daemon.retention_task import RetentionTask
from daemon.run_conductor import RunTimes, Services
from daemon.run_observer import RunObservers
from daemon.sections.power_supply import TripChoice
from daemon.store import Store
from daemon.supply_alarm import AlarmFile
from daemon.supply_concerns import ConcernKind, SupplyBounds
from daemon.supply_guard import SupplyGuard
from daemon.web.event_feed import EventFeed
from instruments.audit_log import AuditLog
from instruments.bench import Bench
from instruments.connector import Connector
from instruments.recovery import Recovery
from instruments.transcripts.recorded_connection import RecordingConnector
from instruments.transcripts.transcript_file import TranscriptFile
from runners.broker_address import BrokerAddress
from runners.broker_link import BrokerLink
from runners.incoming import Handled
from runners.topics import Topics

if TYPE_CHECKING:
    from daemon.web.server import WebServer

__all__ = ["application", "bench_settings", "broker_address", "recording_to"]


def application(
    configuration: Configuration,
    *,
    monotonic_ns: Callable[[], int] = time.monotonic_ns,
    connector: Connector | None = None,
    on_recovery: Callable[[Recovery], None] = lambda _: None,
    read: Callable[[], Configuration] | None = None,
) -> Application:
    """Build the daemon that a configuration describes; call on the event loop that will run it.

    Args:
        configuration: everything.
        monotonic_ns: the lab's clock for synchronisation; the world's where a simulated one runs faster than ours.
        connector: makes the sessions to the instruments; None: through PyVISA.
        on_recovery: told, beside log and metrics, how each instrument was brought back.
        read: reads the configuration again where it is to be reloaded; None: it stays as it is.

    Raises:
        StoreError: the database cannot be opened.
        ConfigurationError: the token of [http] cannot be read, or is none.
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
        metrics.broker.connected()
        conductor.excuse()
        progress.excuse()
        announcer.status()
        outbox.look()

    metrics = Metrics(bench=configuration.bench.name, version=software)
    metrics.database.watch(store.engine)
    progress = ProgressWatch(longest_wait_s=lambda: _longest_wait_s(in_force.current))
    feed = EventFeed()
    observers = RunObservers(metrics.runs, metrics.captures, progress, feed)
    link = BrokerLink(
        broker_address(configuration),
        client_id=configuration.mqtt_client_id,
        will=farewell(topics, version=software),
        on_message=hear,
        on_connect=greet,
        keepalive_s=configuration.mqtt.keepalive_s,
        clean_session=False,
        on_drop=lambda: metrics.broker.dropped("outbox"),
    )

    def recovered(recovery: Recovery) -> None:
        metrics.instruments.recovered(recovery)
        on_recovery(recovery)

    def opened(instruments: dict[str, str]) -> None:
        surroundings.take_identities(instruments)
        announcer.status(instruments=instruments)

    announcer = Announcer(topics, link.publish, version=software)
    outbox = Outbox(store, announcer)
    bench = Bench(bench_settings(configuration), connector=connector, monotonic_ns=monotonic_ns)
    guard = supply_guard(configuration, bench)
    keeper = BenchKeeper(
        bench,
        set_points=_set_points(configuration),
        on_instruments=opened,
        on_recovery=recovered,
        on_reading=metrics.supply.read,
        clears_trip=configuration.power_supply.after_trip is TripChoice.CLEAR,
        guard=guard,
        dry_run=configuration.safety.dry_run,
    )
    services = Services(
        bench=keeper,
        store=store,
        announcer=announcer,
        outbox=outbox,
        measurement=Measurement(configuration, store, files, version=software),
        times=_run_times(configuration),
        connected=link.connected.is_set,
        on_failure=metrics.instruments.failed,
        observer=observers,
    )
    conductor = Conductor(services, admission=Admission(configuration, files))
    in_force = ConfigurationInForce(configuration, read=read)

    def go_by(changed: Configuration) -> Callable[[], None]:
        """Make what runs are conducted by, which may fail, before any of it takes the place of another."""
        return partial(
            conductor.adopt,
            measurement=Measurement(changed, store, files, version=software),
            times=_run_times(changed),
            admission=Admission(changed, files),
        )

    in_force.follow(go_by)
    in_force.follow(lambda changed: partial(surroundings.adopt, changed))
    inbox = Inbox(conductor, topics, on_drop=lambda: metrics.broker.dropped("inbox"))
    clock = ClockResponder(topics, monotonic_ns=monotonic_ns)
    power = PowerResponder(topics, keeper, link.publish, current_run=lambda: conductor.current_run)
    patrol = BenchPatrol(
        keeper,
        guard,
        safety=configuration.safety,
        mark=ExitMark(configuration),
        current_run=lambda: conductor.current_run,
    )
    for topic in (*inbox.subscriptions, clock.subscription, power.subscription):
        link.subscribe(topic)
    surroundings = Surroundings(configuration, store, files, metrics, is_busy=lambda: conductor.current_run is not None)
    health = HealthDesk(
        link=link,
        bench=keeper,
        conductor=conductor,
        inbox=inbox,
        loop_watch=LoopWatch(on_lag=metrics.program.lagged),
        progress=progress,
        surroundings=surroundings,
    )
    ask(metrics, health, outbox)
    return Application(
        bench=keeper,
        link=link,
        conductor=conductor,
        inbox=inbox,
        clock=clock,
        power=power,
        patrol=patrol,
        announcer=announcer,
        outbox=outbox,
        store=store,
        files=files,
        lock=BenchLock(configuration),
        retention=RetentionTask(configuration, lambda: conductor.current_run),
        in_force=in_force,
        health=health,
        web=web_server(
            configuration, health, metrics, conductor, announcer=announcer, feed=feed, store=store, version=software
        ),
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


def _run_times(configuration: Configuration) -> RunTimes:
    runs, scope = configuration.runs, configuration.oscilloscope
    return RunTimes(
        trigger_timeout_s=runs.trigger_timeout_s,
        finished_timeout_s=runs.finished_timeout_s,
        record_s=scope.record_s,
        marker_grace_s=scope.record_s * scope.pretrigger_fraction / 2,
    )


def supply_guard(configuration: Configuration, bench: Bench) -> SupplyGuard:
    """Build who acts on what endangers the board, as the configuration has it."""
    supply, safety = configuration.power_supply, configuration.safety
    limit_a = supply.max_current_a if supply.current_limit_a is None else supply.current_limit_a
    return SupplyGuard(
        bench,
        bounds=SupplyBounds(
            max_voltage_v=supply.max_voltage_v,
            max_current_a=limit_a,
            trip_is_cleared=supply.after_trip is TripChoice.CLEAR,
        ),
        reactions={
            ConcernKind.OVER_VOLTAGE: safety.over_voltage,
            ConcernKind.OVER_CURRENT: safety.over_current,
            ConcernKind.CC_EXCURSION: safety.cc_excursion,
            ConcernKind.LOST_INSTRUMENT: safety.lost_instrument,
        },
        alarms=AlarmFile(configuration),
        audit=AuditLog(configuration.storage.audit_directory, bench=configuration.bench.name),
        lost_after_s=safety.lost_after_s,
    )


def _set_points(configuration: Configuration) -> dict[str, float]:
    supply = configuration.power_supply
    wanted = {"voltage_v": supply.voltage_v, "current_a": supply.current_limit_a, "ovp_v": supply.ovp_v}
    return {name: value for name, value in wanted.items() if value is not None}


def _longest_wait_s(configuration: Configuration) -> float:
    return max(configuration.runs.trigger_timeout_s, configuration.runs.finished_timeout_s)


def web_server(
    configuration: Configuration,
    health: HealthDesk,
    metrics: Metrics,
    conductor: Conductor,
    *,
    announcer: Announcer,
    feed: EventFeed,
    store: Store,
    version: str,
) -> "WebServer | None":
    """Return what serves HTTP as the configuration has it; None where it has no port.

    Raises:
        ConfigurationError: the token's file cannot be read, or holds no token.
    """
    section = configuration.http
    if section.port is None:
        return None
    # Only here: 13 MB that a daemon without it need not hold.
    from daemon.web.application import web_application
    from daemon.web.page_reader import PageReader
    from daemon.web.server import WebServer
    from daemon.web.services import WebServices

    services = WebServices(
        version=version,
        health=health,
        metrics=metrics,
        refusals=metrics.refusals,
        runs=conductor,
        bench_name=configuration.bench.name,
        bench=announcer,
        feed=feed,
        reader=PageReader(configuration, store),
        token=section.token(),
        names=section.names,
    )
    app = web_application(services)
    return WebServer(app, host=section.host, port=section.port, refusals=metrics.refusals)


def broker_address(configuration: Configuration) -> BrokerAddress:
    """Return where the configuration's broker is, and how to log in."""
    return configuration.mqtt.address()
