"""Who follows which bubble: one look at it is shared by all its followers, and nobody takes all the seats.

Everything here lives on the event loop, so that it needs no lock.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from starlette.applications import Starlette

from bubbles.absences import ABSENCES
from bubbles.db import away
from bubbles.errors import Code, Refused
from bubbles.http.shares import Shares
from bubbles.http.visitors import Address

SEATS = 200
SEATS_PER_NETWORK = 5
LOOK_EVERY_S = 0.5
LOOK_LATER_EVERY_S = 5.0
YOUNG_S = 60.0
"""How long after somebody came it is looked often: most bubbles are ready by then."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Seen:
    """What followers are told of a bubble; `is_open` while strangers may know of it."""

    told: dict[str, Any]
    is_open: bool
    has_ended: bool


Look = Callable[[], Awaitable[Seen | None]]
"""Reads a bubble; None when it is not there."""


class Watch:
    """The one who looks at a bubble, as long as somebody follows it."""

    def __init__(self, look: Look) -> None:
        self.seen: Seen | None = None
        self.followers = 0
        self._look = look
        self._changed = asyncio.Event()
        self._young_until_s = 0.0
        self._task: asyncio.Task[None] | None = None

    def join(self, seen: Seen) -> None:
        """Somebody follows who has just seen this."""
        self.followers += 1
        self._young_until_s = asyncio.get_running_loop().time() + YOUNG_S
        self._show(seen)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def leave(self) -> None:
        """Somebody left; the last one ends it."""
        self.followers -= 1
        if not self.followers and self._task:
            self._task.cancel()

    async def change(self, known: Seen, *, timeout_s: float) -> Seen | None:
        """What is seen once it is not `known`, or `known` after `timeout_s`; None when there is nothing to see."""
        if self.seen == known:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
        return self.seen

    def _show(self, seen: Seen | None) -> None:
        if seen != self.seen:
            self.seen = seen
            self._changed.set()
            self._changed = asyncio.Event()

    async def _run(self) -> None:
        while self.seen and not self.seen.has_ended:
            is_young = asyncio.get_running_loop().time() < self._young_until_s
            await asyncio.sleep(LOOK_EVERY_S if is_young else LOOK_LATER_EVERY_S)
            try:
                self._show(await self._look())
            except Exception as error:  # whoever follows comes again by themselves
                if away.is_troubled(error):
                    ABSENCES.missed("database", away.detail(error))
                else:
                    log.exception("look_failed")
                self._show(None)


class Hub:
    """The seats of an application, and its watches by code."""

    def __init__(self) -> None:
        self.taken = 0
        self.shares = Shares(SEATS_PER_NETWORK)
        self.watches: dict[str, Watch] = {}

    @staticmethod
    def of(app: Starlette) -> "Hub":
        """The one of the application."""
        found: Hub = app.state.hub
        return found

    def sit(self, address: Address | None) -> None:
        """Takes a seat; raises `unavailable` when there is none, `rate_limited` when a network has its share."""
        if self.taken >= SEATS:
            raise Refused(Code.UNAVAILABLE, "Too many follow their bubbles just now.", retry_after_s=10)
        if not self.shares.take(address):
            sentence = f"At most {SEATS_PER_NETWORK} bubbles can be followed at once from one address."
            raise Refused(Code.RATE_LIMITED, sentence, retry_after_s=10)
        self.taken += 1

    def stand_up(self, address: Address | None) -> None:
        """Gives a seat back."""
        self.taken -= 1
        self.shares.give_back(address)

    @contextlib.contextmanager
    def watching(self, code: str, seen: Seen, look: Look) -> Iterator[Watch]:
        """The watch of a bubble, shared by all who follow it."""
        watch = self.watches.setdefault(code, Watch(look))
        watch.join(seen)
        try:
            yield watch
        finally:
            watch.leave()
            if not watch.followers:
                del self.watches[code]
