"""Certificates: what the bench was calibrated with."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from fastapi.responses import FileResponse

from daemon.web.reading import read_or_refuse
from daemon.web.refusal import Reason
from daemon.web.services import Services
from runners.messages import IDENTIFIER_PATTERN

router = APIRouter(prefix="/api/v1/certificates", tags=["page"])

CertificateId = Annotated[str, Path(pattern=IDENTIFIER_PATTERN)]


@router.get("", responses={503: {"model": Reason}})
async def certificates(services: Services) -> list[dict[str, Any]]:
    """Return every certificate, the newest first; before them those that cannot be read, each with its `problem`."""
    return await read_or_refuse(services, services.reader.certificates)


@router.get(
    "/{certificate_id}/picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}}, 404: {"model": Reason}},
)
async def picture(certificate_id: CertificateId, services: Services) -> FileResponse:
    """Return the picture of a certificate's fit, drawn when it was made."""
    path = await read_or_refuse(services, lambda: services.reader.certificate_picture(certificate_id))
    return FileResponse(path, media_type="image/png")
