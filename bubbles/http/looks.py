"""Looks at the parts of the house that never keep anyone waiting, however a part hangs."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from threading import Thread
from typing import Any, Generic, TypeVar

LOOK_MAX_S = 3.0
"""How long an answer waits for a look."""

Seen = TypeVar("Seen")


class Look(Generic[Seen]):
    """One look at a time at a part, shared by all who ask meanwhile; one that hangs holds one thread and nothing else.

    The thread is a daemon: it keeps no process from ending. Ask from the event loop's thread only.
    """

    def __init__(self, look: Callable[[], Seen]) -> None:
        self._look = look
        self._under_way: Future[Seen] | None = None

    async def __call__(self) -> Seen:
        """What is seen; raises `TimeoutError` after `LOOK_MAX_S`, or what the look raises."""
        under_way = self._under_way
        if under_way is None or under_way.done():
            under_way = self._under_way = Future()
            under_way.set_running_or_notify_cancel()  # from here on who stops waiting stops nobody else
            Thread(target=self._run, args=(under_way,), name="look", daemon=True).start()
        async with asyncio.timeout(LOOK_MAX_S):
            return await asyncio.wrap_future(under_way)

    def _run(self, seen: "Future[Seen]") -> None:
        try:
            seen.set_result(self._look())
        except BaseException as error:
            seen.set_exception(error)


async def together(looks: Mapping[str, Look[Any]]) -> dict[str, Any]:
    """What each sees, or the exception that it raises, in the time of the slowest."""
    seen = await asyncio.gather(*(look() for look in looks.values()), return_exceptions=True)
    return dict(zip(looks, seen, strict=True))
