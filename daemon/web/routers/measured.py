"""Measured: what runs came to, for who looks; nothing here changes anything."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import FileResponse, JSONResponse

from daemon.export.capture_file import CaptureFormat
from daemon.web.capture_reader import TooLarge
from daemon.web.reading import read_or_refuse
from daemon.web.refusal import Reason, Refusal
from daemon.web.services import Services
from runners.messages import IDENTIFIER_PATTERN

router = APIRouter(prefix="/api/v1/runs", tags=["page"])

RunId = Annotated[str, Path(pattern=IDENTIFIER_PATTERN)]
Index = Annotated[int, Path(ge=0, le=1_000_000)]
LAST_SAMPLE = 10**12
Sample = Annotated[int, Query(ge=0, le=LAST_SAMPLE)]
_MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Reason}, 503: {"model": Reason}}
_BINARY: dict[int | str, dict[str, Any]] = {200: {"content": {"application/octet-stream": {}}}, **_MISSING}


@router.get("", responses={503: {"model": Reason}})
async def runs(
    services: Services,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=10**9)] = 0,
) -> list[dict[str, Any]]:
    """Return the last runs, the newest first, each with what its newest result came to."""
    return await read_or_refuse(services, lambda: services.reader.runs(limit, offset))


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
async def waveform(
    run_id: RunId, index: Index, services: Services, first: Sample = 0, count: Sample | None = None
) -> Response:
    """Return a capture, or `count` samples of it, with marker and windows, in binary (see `The waveform`)."""
    part = None if first == 0 and count is None else range(first, LAST_SAMPLE if count is None else first + count)
    content = await read_or_refuse(services, lambda: services.reader.waveform(run_id, index, part))
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": "no-cache"})


@router.get("/{run_id}/captures/{index}/file", response_class=Response, responses=_BINARY)
async def capture_file(run_id: RunId, index: Index, services: Services) -> FileResponse:
    """Return a capture's file, raw and with its checksums, to keep."""
    path = await read_or_refuse(services, lambda: services.reader.capture_file(run_id, index))
    return FileResponse(path, media_type="application/octet-stream", filename=path.name)


@router.get("/{run_id}/captures/{index}/export", response_class=Response, responses={**_BINARY, 413: {"model": Reason}})
async def export(run_id: RunId, index: Index, services: Services, form: CaptureFormat) -> Response:
    """Return a capture for other programs: values as CSV, codes with scales as NPZ, or plain codes in a ZIP."""
    try:
        name, content = await read_or_refuse(services, lambda: services.reader.export(run_id, index, form))
    except TooLarge as error:
        raise Refusal(413, "too_large", str(error)) from error
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/{run_id}/compared-with/{other_id}", responses=_MISSING)
async def comparison(run_id: RunId, other_id: RunId, services: Services) -> dict[str, Any]:
    """Return how the gross energy per image of two runs differs, shared errors cancelled, and whether that is real."""
    return await read_or_refuse(services, lambda: services.reader.compare(run_id, other_id))
