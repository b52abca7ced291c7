"""Metrics of the broker: whether it is there, how often it had to be found again, and what waits for whom."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

QUEUES = ("inbox", "outbox", "ends")
"""What boards said and is not handled yet; messages that the broker does not have yet; ends of runs that it does not
have yet, which wait in the database."""


class BrokerMetrics:
    """The connection and the two queues."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._connected = Gauge("joulebench_broker_connected", "1 while the broker is connected.", registry=registry)
        self._connections = Counter(
            "joulebench_broker_connections",
            "Connections to the broker; each after the first is one lost.",
            registry=registry,
        )
        self._depth = Gauge("joulebench_queue_messages", "Messages that wait.", ("queue",), registry=registry)
        self._limit = Gauge(
            "joulebench_queue_limit_messages",
            "Messages that may wait; beyond it some are dropped.",
            ("queue",),
            registry=registry,
        )
        self._dropped = Counter(
            "joulebench_queue_dropped", "Messages dropped, the queue being full.", ("queue",), registry=registry
        )
        for queue in QUEUES:
            self._depth.labels(queue=queue)
            self._dropped.labels(queue=queue)

    def connected(self) -> None:
        """Count a connection."""
        self._connections.inc()

    def dropped(self, queue: str) -> None:
        """Count a message that a full queue dropped."""
        self._dropped.labels(queue=queue).inc()

    def watch(self, is_connected: Callable[[], bool]) -> None:
        """Have whether the broker is connected asked for whenever the metrics are read."""
        self._connected.set_function(lambda: float(is_connected()))

    def watch_queue(self, queue: str, depth: Callable[[], int], *, limit: int | None = None) -> None:
        """Have a queue's depth asked for whenever the metrics are read.

        Args:
            queue: one of `QUEUES`.
            depth: messages that wait.
            limit: messages that may; None: as many as there are.
        """
        self._depth.labels(queue=queue).set_function(lambda: float(depth()))
        if limit is not None:
            self._limit.labels(queue=queue).set(limit)
