"""Host check: a page of a foreign site must not reach the daemon by a name that it points at this computer."""

import ipaddress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.metrics.refusals import HttpRefusal
from daemon.web.refusal import answer
from daemon.web.services import RefusalCount

LOCAL_NAME = "localhost"


class HostCheck:
    """Lets requests pass whose Host is an address, `localhost`, or a configured name.

    DNS rebinding needs a name of the attacker's: who comes by an address was told the address.
    """

    def __init__(self, app: ASGIApp, *, names: tuple[str, ...], refusals: RefusalCount) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in (LOCAL_NAME, *names))
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not self._admits(host):
                self._refusals.refused(HttpRefusal.HOST)
                text = "the Host of this request is none of this daemon's; add it to [http] names if it is meant to be"
                await answer(421, "wrong_host", text)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admits(self, host: str) -> bool:
        name = _without_port(host)
        return name.lower().rstrip(".") in self._names or _is_address(name)


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
