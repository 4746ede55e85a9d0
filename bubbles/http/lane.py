"""Threads of their own for the store: one that accepts and never answers holds these, and no other route."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from starlette.applications import Starlette

from bubbles.errors import Code, Refused

READS_AT_ONCE = 16
WAIT_S = 5
"""How long a read waits for its turn; nobody is kept in a queue behind a store that hangs."""

Result = TypeVar("Result")


def limiter() -> anyio.CapacityLimiter:
    """The places that an application has for reads of its store."""
    return anyio.CapacityLimiter(READS_AT_ONCE)


async def run(app: Starlette, read: Callable[[], Result]) -> Result:
    """What `read` returns, from a thread; raises `unavailable` when no place comes free in `WAIT_S`."""
    places: anyio.CapacityLimiter = app.state.store_reads
    borrower = object()
    try:
        with anyio.fail_after(WAIT_S):
            await places.acquire_on_behalf_of(borrower)
    except TimeoutError:
        raise Refused(Code.UNAVAILABLE, "The store is slow just now.", retry_after_s=WAIT_S) from None
    try:
        # The place is taken already: the thread itself is limited by nothing else.
        return await anyio.to_thread.run_sync(read, limiter=anyio.CapacityLimiter(1))
    finally:
        places.release_on_behalf_of(borrower)
