"""Worker thread: blocking work beside the event loop, which is waited for even when the waiting is cancelled."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: object, on_cancel: Callable[[], object] | None = None) -> T:
    """Return what blocking work returns.

    A thread cannot be cancelled: `on_cancel` asks it to end, and the cancellation goes on once it has.
    """
    thread = asyncio.create_task(asyncio.to_thread(work, *arguments), name=f"thread-{work!r:.60}")
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        if on_cancel is not None:
            on_cancel()
        await asyncio.wait({thread})
        thread.exception()  # looked at, so that asyncio does not complain; the cancellation says more
        raise
