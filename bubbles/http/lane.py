"""Places of their own for what may take long: whoever holds or waits for these holds up no other route.

The store, which may accept and never answer; passwords, which take a core each; and what uploads ask of the database,
where those of one account wait for each other. What anybody may ask of it waits in `turns.py`.
"""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TypeVar

import anyio
from starlette.applications import Starlette

from bubbles.errors import Code, Refused

READS_AT_ONCE = 16
WAIT_S = 5
"""How long a read waits for its turn; nobody is kept in a queue behind a store that hangs."""

UPLOADS_AT_ONCE = 6
"""Uploads that ask the database at once. A crowd of them then leaves threads, and most connections, to who listens."""

CORES = os.cpu_count() or 1
HASHES_WAITING_MAX = 20
"""Passwords that wait for a core; who comes then is told to come again: by then it would be a second and more."""

HASHES_RETRY_S = 5
EVERYBODY = ""

Result = TypeVar("Result")


class Hashing:
    """One password at a time on each core, in threads of their own: a crowd at the door is the door's alone."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(CORES, thread_name_prefix="passwords")
        self._lock, self._taken = Lock(), Counter[str]()

    async def run(self, work: Callable[[], Result], shares: Mapping[str, int]) -> Result:
        """What `work` returns. `shares` are the askers whom it is for, and how many places each may have at once.

        Raises `rate_limited` when one of them has as many, and `unavailable` when too many wait already.
        """
        whose = {EVERYBODY: CORES + HASHES_WAITING_MAX, **shares}
        with self._lock:
            self._require_room(whose)
            self._taken.update(whose.keys())
        underway = self._threads.submit(work)
        underway.add_done_callback(lambda _: self._leave(whose))  # also for who went away meanwhile
        return await asyncio.wrap_future(underway)

    def _require_room(self, whose: Mapping[str, int]) -> None:
        full = [asker for asker, at_once in whose.items() if self._taken[asker] >= at_once]
        if full == [EVERYBODY]:
            raise Refused(Code.UNAVAILABLE, "Many are at the door just now.", retry_after_s=HASHES_RETRY_S)
        if full:
            raise Refused(Code.RATE_LIMITED, "Attempts of yours are under way.", retry_after_s=HASHES_RETRY_S)

    def _leave(self, whose: Mapping[str, int]) -> None:
        with self._lock:
            self._taken -= Counter(whose.keys())  # what comes to nothing goes, so that no name stays


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


def uploads_limiter() -> anyio.CapacityLimiter:
    """The places that an application has for what uploads ask of its database."""
    return anyio.CapacityLimiter(UPLOADS_AT_ONCE)


async def for_upload(app: Starlette, work: Callable[[], Result]) -> Result:
    """What `work` returns, from one of the few threads that uploads have; they wait there for each other alone."""
    places: anyio.CapacityLimiter = app.state.upload_places
    return await anyio.to_thread.run_sync(work, limiter=places)
