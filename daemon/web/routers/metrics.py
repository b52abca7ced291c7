"""Metrics, for Prometheus."""

import time

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from daemon.web.services import MetricsSource

KEPT_S = 0.5
"""How long a page is served again: making one takes 4 ms of the event loop, which whoever asks all the time must not
have. Prometheus asks every few seconds."""


class MetricsPage:
    """The last page, made anew when it is too old."""

    def __init__(self, source: MetricsSource) -> None:
        self._source = source
        self._made_s = -float("inf")
        self._page = b""

    def text(self) -> bytes:
        """Return the numbers as they are, or were half a second ago at most."""
        now_s = time.monotonic()
        if now_s - self._made_s >= KEPT_S:
            self._page, self._made_s = self._source.page(), now_s
        return self._page


def metrics_router(source: MetricsSource) -> APIRouter:
    """Return the router that serves these numbers."""
    router = APIRouter(tags=["metrics"])
    page = MetricsPage(source)

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics() -> Response:
        """Return every number in Prometheus' text format."""
        return Response(page.text(), media_type=CONTENT_TYPE_LATEST)

    return router
