"""Events: what happens on the bench, as it happens."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from daemon.web.event_feed import Watcher, encoded
from daemon.web.refusal import Reason, Refusal
from daemon.web.routers.bench import bench_document
from daemon.web.services import Services, WebServices

router = APIRouter(prefix="/api/v1", tags=["page"])

LOOK_S = 1.0
"""How often bench and campaigns' journals are looked at for a watcher; they are told only where they changed."""
SIGN_OF_LIFE_S = 15.0
"""How long nothing is sent at most, so that a connection that is gone shows."""
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}, 503: {"model": Reason}}


@router.get("/events", response_class=StreamingResponse, responses=_STREAM)
async def events(services: Services) -> StreamingResponse:
    """Send what happens: `bench` and `campaigns` when they changed, `run` at every step, `result`, `dropped`."""
    if services.feed.is_full:
        raise Refusal(503, "too_many_watchers", "as many watch as may; close another page, then load again")
    return StreamingResponse(_events(services), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(services: WebServices) -> AsyncIterator[bytes]:
    # Here, and not before: whoever leaves before the first byte has never been a watcher.
    with services.feed.watching() as watcher:
        async for event in _told(services, watcher):
            yield event


async def _campaigns_mark(services: WebServices) -> object:
    # In any thread: the folder may lie on another computer, and the reader's thread may be at work.
    return await asyncio.to_thread(services.reader.campaigns_mark)


async def _told(services: WebServices, watcher: Watcher) -> AsyncIterator[bytes]:
    last, sent_s = b"", time.monotonic()
    mark = await _campaigns_mark(services)
    while True:
        bench = encoded("bench", bench_document(services))
        found = b"" if bench == last else bench
        last = bench
        before, mark = mark, await _campaigns_mark(services)
        if mark != before:
            found += encoded("campaigns", {})
        if time.monotonic() - sent_s > SIGN_OF_LIFE_S:
            found += b": still here\n\n"
        if found:
            sent_s = time.monotonic()
            yield found
        if waited := await watcher.next(LOOK_S):
            sent_s = time.monotonic()
            yield waited
