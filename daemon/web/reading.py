"""Reading: what a router asks of the page's reader, with what can go wrong answered as a reason."""

from collections.abc import Callable
from typing import TypeVar

from daemon.web.page_reader import NotThere
from daemon.web.refusal import Refusal
from daemon.web.services import WebServices
from metrology.errors import JoulebenchError

T = TypeVar("T")


async def read_or_refuse(services: WebServices, work: Callable[[], T]) -> T:
    """Read in the reader's thread.

    Raises:
        Refusal: 404 where it is not there; 503 where file or database cannot be read, with why.
    """
    try:
        return await services.reader.read(work, run_in_hand=services.health.run_in_hand)
    except NotThere as error:
        raise Refusal(404, "not_there", str(error)) from error
    except JoulebenchError as error:
        raise Refusal(503, "unreadable", str(error)) from error
