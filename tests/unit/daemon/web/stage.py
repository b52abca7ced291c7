"""Web services by hand, and an application that serves them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import httpx
from fastapi import FastAPI

from daemon.health.report import Report
from daemon.metrics import Metrics
from daemon.metrics.refusals import HttpRefusal
from daemon.readiness import Finding
from daemon.web.application import web_application
from daemon.web.bearer_token import Token
from daemon.web.event_feed import EventFeed
from daemon.web.page_reader import PageReader
from daemon.web.services import WebServices

TOKEN = "a-token-of-the-tests-0123456789"
FINE = Finding(part="disk", ok=True, text="12 GB free")
BROKEN = Finding(part="broker", ok=False, text="not connected", remedy="start the broker")


@dataclass
class HandHealth:
    """Healthy and ready, until told otherwise."""

    run_in_hand: str | None = None
    alive: list[Finding] = field(default_factory=lambda: [FINE])
    prepared: list[Finding] = field(default_factory=lambda: [FINE])

    def health(self) -> Report:
        return Report.of(self.alive)

    def readiness(self) -> Report:
        return Report.of(self.prepared)

    def state(self) -> str:
        return "measuring" if self.run_in_hand else "free"


@dataclass
class HandBench:
    """A bench with one instrument, whose identity is not to be believed."""

    instruments: dict[str, str] = field(default_factory=lambda: {"oscilloscope": "<b>MSO-X 2024A</b>"})


@dataclass
class HandRuns:
    """Runs of which one is in hand."""

    in_hand: str = "r1"
    aborted: list[tuple[str, str]] = field(default_factory=list)

    def abort_by_lab(self, run_id: str, *, text: str) -> bool:
        self.aborted.append((run_id, text))
        return run_id == self.in_hand


class CountedRefusals:
    """The daemon's own count, which a test can wait for."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.counted: asyncio.Queue[HttpRefusal] = asyncio.Queue()

    def refused(self, cause: HttpRefusal) -> None:
        self._metrics.refusals.refused(cause)
        self.counted.put_nowait(cause)


@dataclass
class WebStage:
    """An application and what it stands on."""

    health: HandHealth = field(default_factory=HandHealth)
    metrics: Metrics = field(default_factory=Metrics)
    runs: HandRuns = field(default_factory=HandRuns)
    refusals: "CountedRefusals" = field(init=False)
    feed: EventFeed = field(default_factory=EventFeed)
    bench: HandBench = field(default_factory=HandBench)
    reader: PageReader = field(default_factory=lambda: cast(PageReader, None))
    token: str | None = TOKEN
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.refusals = CountedRefusals(self.metrics)

    def application(self) -> FastAPI:
        return web_application(
            WebServices(
                version="0.1.0",
                health=self.health,
                metrics=self.metrics,
                refusals=self.refusals,
                runs=self.runs,
                bench_name="test",
                bench=self.bench,
                feed=self.feed,
                reader=self.reader,
                token=None if self.token is None else Token(self.token),
                names=self.names,
            )
        )

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(self.application(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9464") as client:
            yield client

    def refused(self, cause: str) -> float | None:
        return self.metrics.registry.get_sample_value("joulebench_http_refusals_total", {"cause": cause})
