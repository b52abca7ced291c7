"""Authorisation: control asks for the bearer token, and there is none without one."""

import logging
from typing import Annotated

from fastapi import Depends, Header, Request

from daemon.metrics.refusals import HttpRefusal
from daemon.web.refusal import Refusal
from daemon.web.services import Services

logger = logging.getLogger(__name__)

CONTROL_OFF = "control over HTTP is off: name a token in [http] token_file, or in JOULEBENCH_HTTP_TOKEN, and restart"
NO_TOKEN = "control over HTTP asks for the header `Authorization: Bearer TOKEN`, with the token of [http] token_file"  # noqa: S105 - a text


def _authorise(request: Request, services: Services, authorization: Annotated[str, Header()] = "") -> None:
    """Let a request with the right token pass.

    Raises:
        Refusal: 403 where no token is configured, 401 where it is not the one that was sent.
    """
    if services.token is None:
        raise Refusal(403, "control_off", CONTROL_OFF)
    scheme, _, given = authorization.partition(" ")
    if scheme.lower() != "bearer" or not services.token.matches(given.strip()):
        services.refusals.refused(HttpRefusal.TOKEN)
        who = request.client.host if request.client else "nobody"
        logger.warning("%s %s from %s refused: no token, or a wrong one", request.method, request.url.path, who)
        raise Refusal(401, "unauthorised", NO_TOKEN, headers={"WWW-Authenticate": "Bearer"})


Authorised = Depends(_authorise)
"""Dependency of every route that changes anything."""
