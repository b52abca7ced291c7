"""Page: what a browser loads to look at the bench."""

from fastapi import APIRouter, Response

from daemon.web.page_files import page_files
from daemon.web.refusal import Reason, Refusal

router = APIRouter(tags=["page"])

_FIRST = "index.html"
# Asked for again each time, so that a new version of the daemon is never shown by an old script.
_HEADERS = {"Cache-Control": "no-cache"}


@router.get("/", response_class=Response, responses={200: {"content": {"text/html": {}}}})
async def first() -> Response:
    """Return the page: bench, runs, waveforms, certificates and campaigns, for a browser."""
    return _answer(_FIRST)


@router.get("/page/{name:path}", response_class=Response, responses={404: {"model": Reason}})
async def part(name: str) -> Response:
    """Return a script, style or picture of the page; all of them come from the package."""
    return _answer(name)


def _answer(name: str) -> Response:
    found = page_files().get(name)
    if found is None:
        raise Refusal(404, "not_there", "the page has no such file")
    return Response(found.content, media_type=found.media_type, headers=_HEADERS)
