"""Campaigns: how far they are."""

from typing import Any

from fastapi import APIRouter

from daemon.web.reading import read_or_refuse
from daemon.web.refusal import Reason
from daemon.web.services import Services

router = APIRouter(prefix="/api/v1/campaigns", tags=["page"])


@router.get("", responses={503: {"model": Reason}})
async def campaigns(services: Services) -> list[dict[str, Any]]:
    """Return how far each campaign is whose journal lies in `[http] campaigns`."""
    return await read_or_refuse(services, services.reader.campaigns)
