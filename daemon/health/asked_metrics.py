"""Asked metrics: numbers that are asked of the daemon's parts whenever Prometheus reads them."""

from functools import partial

from daemon.health.health_desk import HEALTH_CHECKS, READINESS_CHECKS, HealthDesk
from daemon.inbox import INBOX_LIMIT
from daemon.metrics import Metrics
from daemon.outbox import Outbox
from runners.broker_link import OUTBOX_LIMIT


def ask(metrics: Metrics, desk: HealthDesk, outbox: Outbox) -> None:
    """Have the metrics ask the health desk, the queues and the link."""
    link, inbox = desk.link, desk.inbox
    metrics.bench.watch(desk.state)
    metrics.bench.watch_health(healthy=lambda: desk.health().ok, ready=lambda: desk.readiness().ok)
    for name in dict.fromkeys((*HEALTH_CHECKS, *READINESS_CHECKS)):
        metrics.bench.watch_check(name, partial(_is_ok, desk, name))
    metrics.broker.watch(link.connected.is_set)
    metrics.broker.watch_queue("inbox", lambda: inbox.depth, limit=INBOX_LIMIT)
    metrics.broker.watch_queue("ends", lambda: outbox.waiting)
    metrics.broker.watch_queue("outbox", lambda: link.outbox_depth, limit=OUTBOX_LIMIT)


def _is_ok(desk: HealthDesk, name: str) -> bool:
    return desk.check(name).ok
