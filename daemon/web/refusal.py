"""Refusal: a request that is answered with a reason instead."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

logger = logging.getLogger(__name__)


class Reason(BaseModel):
    """Why a request was not done."""

    reason: str
    """Reason code."""
    text: str
    """What is wrong, and what to do."""


class Refusal(Exception):
    """A request that cannot be done."""

    def __init__(self, status: int, reason: str, text: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.headers = headers


def answer(status: int, reason: str, text: str, *, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer that says why not."""
    return JSONResponse(Reason(reason=reason, text=text).model_dump(), status_code=status, headers=headers)


def install(app: FastAPI) -> None:
    """Have everything that goes wrong answered in the one form."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _broken)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, Refusal):
        raise error
    return answer(error.status, error.reason, str(error), headers=error.headers)


async def _malformed(_request: Request, error: Exception) -> JSONResponse:
    """Say what does not fit, without repeating what was sent."""
    if not isinstance(error, RequestValidationError):
        raise error
    return answer(422, "bad_request", "; ".join(_problem(one) for one in error.errors())[:1000])


def _problem(found: Mapping[str, Any]) -> str:
    if found["type"] == "json_invalid":
        return "the body is no JSON: send an object such as {}, as application/json"
    return f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}"


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers) if error.headers else None
    if error.status_code == HTTPStatus.NOT_FOUND:
        text = f"there is nothing at {request.url.path}; /openapi.json lists all that there is"
        return answer(404, "not_found", text, headers=headers)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (headers or {}).get("allow") or (headers or {}).get("Allow") or "another method"
        text = f"{request.method} is not answered at {request.url.path}; ask by {allowed}"
        return answer(405, "method_not_allowed", text, headers=headers)
    return answer(error.status_code, "http_error", str(error.detail), headers=headers)


async def _broken(request: Request, _error: Exception) -> JSONResponse:
    # The trace is logged by whoever called; here the client is told, and the daemon goes on.
    logger.error("%s %s: the handler broke", request.method, request.url.path)
    return answer(500, "internal_error", "this is a defect, please report it; the log has the trace")
