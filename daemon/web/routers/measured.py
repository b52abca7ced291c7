"""Measured: what runs came to, for who looks; nothing here changes anything."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, JSONResponse

from daemon.web.reading import read_or_refuse
from daemon.web.refusal import Reason
from daemon.web.services import Services
from runners.messages import IDENTIFIER_PATTERN

router = APIRouter(prefix="/api/v1/runs", tags=["page"])

RunId = Annotated[str, Path(pattern=IDENTIFIER_PATTERN)]
Index = Annotated[int, Path(ge=0, le=1_000_000)]
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Reason}, 503: {"model": Reason}}
_BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}, **_MISSING}


@router.get("", responses={503: {"model": Reason}})
async def runs(services: Services, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[dict[str, Any]]:
    """Return the last runs, the newest first, each with what its newest result came to."""
    return await read_or_refuse(services, lambda: services.reader.runs(limit))


@router.get("/{run_id}", responses=_MISSING)
async def run(run_id: RunId, services: Services) -> dict[str, Any]:
    """Return a run: its steps, its captures, and its results as they were published, the newest first."""
    return await read_or_refuse(services, lambda: services.reader.run(run_id))


@router.get("/{run_id}/result.json", responses=_MISSING)
async def result(run_id: RunId, services: Services) -> JSONResponse:
    """Return a run's newest result as a file to keep."""
    document = await read_or_refuse(services, lambda: services.reader.result(run_id))
    return JSONResponse(document, headers={"Content-Disposition": f'attachment; filename="{run_id}-result.json"'})


@router.get("/{run_id}/captures/{index}/waveform", response_class=Response, responses=_BINARY)
async def waveform(run_id: RunId, index: Index, services: Services) -> Response:
    """Return every sample of a capture, with batches, window and baseline, in binary (see `The waveform`)."""
    content = await read_or_refuse(services, lambda: services.reader.waveform(run_id, index))
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": "no-cache"})


@router.get("/{run_id}/captures/{index}/file", response_class=Response, responses=_BINARY)
async def capture_file(run_id: RunId, index: Index, services: Services) -> FileResponse:
    """Return a capture's file, raw and with its checksums, to keep."""
    path = await read_or_refuse(services, lambda: services.reader.capture_file(run_id, index))
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)
