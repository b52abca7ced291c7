"""Metrics of HTTP: what was refused, so that somebody who tries tokens is seen."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter


class HttpRefusal(StrEnum):
    """Why a request or a connection was refused."""

    HOST = "host"
    """It names a host that this is not."""
    TOKEN = "token"  # noqa: S105 - a label
    """Control without a token, or with a wrong one."""
    BODY = "body"
    """Its body is too long."""
    CONNECTIONS = "connections"
    """There are too many connections."""
    SLOW = "slow"
    """The request did not arrive, or the answer was not taken, in time."""


class RefusalMetrics:
    """Refusals."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refusals = Counter(
            "joulebench_http_refusals", "Requests and connections refused.", ("cause",), registry=registry
        )
        for cause in HttpRefusal:
            self._refusals.labels(cause=cause.value)

    def refused(self, cause: HttpRefusal) -> None:
        """Count a refusal."""
        self._refusals.labels(cause=cause.value).inc()
