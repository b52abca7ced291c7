"""Web services: everything of the daemon that a router may use, handed in by whoever puts it together."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from daemon.health.report import Report
from daemon.metrics.refusals import HttpRefusal
from daemon.web.bearer_token import Token
from daemon.web.event_feed import EventFeed
from daemon.web.page_reader import PageReader


class HealthSource(Protocol):
    """Answers for the daemon's health; at once, from what is known."""

    @property
    def run_in_hand(self) -> str | None:
        """The run that is measured; None while the bench is free."""

    def health(self) -> Report:
        """Whether the daemon lives."""

    def readiness(self) -> Report:
        """Whether a run could be taken now."""

    def state(self) -> str:
        """What the bench does."""


class BenchSource(Protocol):
    """Knows what the bench is."""

    @property
    def instruments(self) -> Mapping[str, Any]:
        """Identity of each instrument, by its role; empty until they were opened."""


class MetricsSource(Protocol):
    """Has the numbers."""

    def page(self) -> bytes:
        """Return them in Prometheus' text format."""


class RefusalCount(Protocol):
    """Counts what was refused."""

    def refused(self, cause: HttpRefusal) -> None:
        """Count one."""


class RunControl(Protocol):
    """Acts on runs."""

    def abort_by_lab(self, run_id: str, *, text: str) -> bool:
        """End the run in hand; False where it is not in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebServices:
    """What the routers use."""

    version: str
    """Of this software."""
    health: HealthSource
    """Health and readiness."""
    metrics: MetricsSource
    """Numbers."""
    refusals: RefusalCount
    """Where refusals are counted."""
    runs: RunControl
    """The runs."""
    bench_name: str
    """Which bench this is."""
    bench: BenchSource
    """Its instruments."""
    feed: EventFeed
    """What runs do, for whoever watches."""
    reader: PageReader
    """What is kept, for whoever looks."""
    token: Token | None
    """What control asks for; None: there is no control over HTTP."""
    names: tuple[str, ...] = ()
    """Names of this computer that a request may use, beside `localhost` and addresses."""


def _services(request: Request) -> WebServices:
    services: WebServices = request.app.state.services
    return services


Services = Annotated[WebServices, Depends(_services)]
"""Parameter of a handler that needs the services."""
