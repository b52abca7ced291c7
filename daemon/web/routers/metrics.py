"""Metrics, for Prometheus."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from daemon.web.services import Services

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(services: Services) -> Response:
    """Return every number in Prometheus' text format."""
    return Response(services.metrics.page(), media_type=CONTENT_TYPE_LATEST)
