"""Health and readiness: for people, service managers and load balancers."""

from fastapi import APIRouter, Response
from pydantic import BaseModel

from daemon.health.report import Report
from daemon.web.services import Services

router = APIRouter(tags=["health"])

UNFIT = 503
"""Status while a check is not fulfilled."""


class Check(BaseModel):
    """One check."""

    name: str
    """What was looked at."""
    ok: bool
    """Whether it is as it should be."""
    text: str
    """What was found."""
    remedy: str | None
    """What to do about it; null where all is well."""


class Health(BaseModel):
    """Whether the daemon lives."""

    ok: bool
    """Every check is fulfilled."""
    checks: tuple[Check, ...]
    """Each by its name."""


class Readiness(Health):
    """Whether a run could be taken now."""

    run_in_hand: str | None
    """The run that is measured now; null while the bench is free."""


_ANSWERS = {UNFIT: {"description": "A check is not fulfilled; the body says which."}}


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", responses={UNFIT: {"model": Health, **_ANSWERS[UNFIT]}})
async def healthz(services: Services, response: Response) -> Health:
    """Say whether the daemon lives, comes further, and can keep its journal."""
    report = services.health.health()
    _mark(response, report)
    return Health.model_validate(report.document())


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={UNFIT: {"model": Readiness, **_ANSWERS[UNFIT]}})
async def readyz(services: Services, response: Response) -> Readiness:
    """Say whether a run could be taken now; one that is in hand does not make the bench less ready."""
    report = services.health.readiness()
    _mark(response, report)
    return Readiness.model_validate({**report.document(), "run_in_hand": services.health.run_in_hand})


def _mark(response: Response, report: Report) -> None:
    response.status_code = 200 if report.ok else UNFIT
