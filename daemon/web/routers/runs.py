"""Runs: what the lab may do to one over HTTP."""

import logging
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from daemon.web.authorisation import Authorised
from daemon.web.refusal import Reason, Refusal
from daemon.web.services import Services
from runners.messages import IDENTIFIER_PATTERN

logger = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/runs", tags=["runs"], dependencies=[Authorised])

RunId = Annotated[str, Path(pattern=IDENTIFIER_PATTERN)]


class AbortOrder(BaseModel):
    """Why a run is to be ended."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = "no reason given"
    """In words, for the journal and the board."""


class AbortTaken(BaseModel):
    """The run is being ended; its state tells when it is."""

    run_id: str
    """Which."""


@router.post(
    "/{run_id}/abort",
    status_code=202,
    responses={code: {"model": Reason} for code in (401, 403, 404)},
)
async def abort(run_id: RunId, services: Services, order: AbortOrder | None = None) -> AbortTaken:
    """End the run in hand: its captures are kept, its state tells the board, and the bench is free for the next."""
    text = f"aborted over HTTP: {(order or AbortOrder()).text}"
    if not services.runs.abort_by_lab(run_id, text=text):
        raise Refusal(404, "not_in_hand", f"run {run_id} is not in hand; /readyz names the run that is")
    logger.warning("run %s: %s", run_id, text)
    return AbortTaken(run_id=run_id)
