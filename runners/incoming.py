"""Incoming: what a handler of messages says of the one that it was given."""

import asyncio

Handled = asyncio.Future[None] | None
"""None: it is done with. A future: it is done with when this is, and the broker keeps it until then."""
