"""Bench: what it is and does, for who looks at the page."""

from typing import Any

from fastapi import APIRouter

from daemon.web.services import Services, WebServices
from instruments.simulated_identity import is_simulated

router = APIRouter(prefix="/api/v1", tags=["page"])


@router.get("/bench")
async def bench(services: Services) -> dict[str, Any]:
    """Return the bench's name, state, instruments and checks, and the run in hand."""
    return bench_document(services)


def bench_document(services: WebServices) -> dict[str, Any]:
    """Return what the bench is and does, as JSON values, from what is known."""
    return {
        "bench": services.bench_name,
        "version": services.version,
        "state": str(services.health.state()),
        "run_in_hand": services.health.run_in_hand,
        "instruments": dict(services.bench.instruments),
        "simulated": is_simulated(services.bench.instruments),
        "checks": services.health.readiness().document()["checks"],
        "control": services.token is not None,
        "events_dropped": services.feed.dropped_count,
    }
