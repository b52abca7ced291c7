"""Body limit: a request's body is taken in whole before it is handled, or not at all."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from daemon.metrics.refusals import HttpRefusal
from daemon.web.refusal import answer
from daemon.web.services import RefusalCount

LIMIT_BYTES = 16 * 1024
"""Longest body: what control has to say fits into a line."""


class BodyLimit:
    """Refuses longer bodies, whether they say their length or not."""

    def __init__(self, app: ASGIApp, *, refusals: RefusalCount) -> None:
        self._app = app
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            self._refusals.refused(HttpRefusal.BODY)
            text = f"the body is longer than {LIMIT_BYTES} bytes"
            await answer(413, "too_long", text, headers={"Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _body(receive: Receive) -> bytes | None:
    """Return the body; None where it is too long. A client that leaves has said all it had to say."""
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LIMIT_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a source of messages that begins with a body that was taken in."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def source() -> Message:
        return left.pop() if left else await receive()

    return source
