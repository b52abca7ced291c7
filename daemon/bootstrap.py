"""Bootstrap: the one place that names concrete instruments, broker and store, and puts them together."""

import time
from collections.abc import Callable
from importlib.metadata import version

from daemon.admission import Admission
from daemon.announcer import Announcer
from daemon.application import Application
from daemon.bench_configuration import bench_settings
from daemon.bench_keeper import BenchKeeper
from daemon.broker_link import BrokerAddress, BrokerLink
from daemon.captures import CaptureFiles
from daemon.clock_responder import ClockResponder
from daemon.conductor import Conductor
from daemon.configuration import Configuration
from daemon.inbox import Inbox
from daemon.measurement import Measurement
from daemon.outbox import Outbox
from daemon.run_conductor import RunTimes, Services
from daemon.store import Store
from instruments.bench import Bench
from runners.topics import Topics

__all__ = ["application", "bench_settings", "broker_address"]


def application(configuration: Configuration, *, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> Application:
    """Build the daemon that a configuration describes; call on the event loop that will run it.

    Args:
        configuration: everything.
        monotonic_ns: the lab's clock for synchronisation; the world's where a simulated one runs faster than ours.

    Raises:
        StoreError: the database cannot be opened.
        SettingRefused: a value that an instrument cannot take.
    """
    software = version("joulebench")
    topics = Topics(configuration.bench.name)
    store = Store(configuration.storage.url)
    files = CaptureFiles(configuration.storage.captures_directory)
    outbox = Outbox()
    announcer = Announcer(topics, outbox.put, version=software)
    keeper = BenchKeeper(
        Bench(bench_settings(configuration), monotonic_ns=monotonic_ns),
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
            marker_grace_s=configuration.oscilloscope.record_s * configuration.oscilloscope.pretrigger_fraction / 2,
        ),
    )
    conductor = Conductor(services, admission=Admission(configuration, files))
    inbox, clock = Inbox(conductor, topics), ClockResponder(topics, monotonic_ns=monotonic_ns)
    link = BrokerLink(
        broker_address(configuration),
        outbox=outbox,
        subscriptions=(*inbox.subscriptions, clock.subscription),
        will=announcer.will(),
        on_message=_sorted(clock, inbox),
        on_connect=announcer.status,
    )
    return Application(
        bench=keeper,
        link=link,
        outbox=outbox,
        conductor=conductor,
        inbox=inbox,
        clock=clock,
        announcer=announcer,
        store=store,
        files=files,
    )


def _sorted(clock: ClockResponder, inbox: Inbox) -> Callable[[str, bytes], None]:
    """Return what takes every message: questions for the time before anything else, the rest in order."""

    def take(topic: str, payload: bytes) -> None:
        if not clock.take(topic, payload):
            inbox.put(topic, payload)

    return take


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
        client_id=configuration.mqtt_client_id,
        username=mqtt.username,
        password=mqtt.password(),
        keepalive_s=mqtt.keepalive_s,
    )
