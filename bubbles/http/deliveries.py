"""Bytes on their way to a listener, and the count of those that went."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from bubbles import listen
from bubbles.app import House
from bubbles.errors import Missing, Refused
from bubbles.http import lane
from bubbles.listen import Delivery

GATHER_S = 0.05
"""How long a writer waits for others to count with: a busy house counts twenty times a second, not a thousand."""

log = structlog.get_logger()


class Flow(Response):
    """Bytes that flow from a store to a socket, and are counted as they are handed over.

    A client that leaves early is counted for what the server had taken from us by then. That is more than reached it,
    by what lies in the server's write buffer (two chunks of 64 KiB with uvicorn) and in the kernel's.
    """

    def __init__(
        self,
        first: bytes,
        rest: Iterator[bytes],
        *,
        delivery: Delivery,
        status_code: int,
        headers: dict[str, str],
        media_type: str,
    ) -> None:
        super().__init__(first, status_code=status_code, headers=headers, media_type=media_type)
        self._rest = rest
        self._delivery = delivery
        self._at = delivery.start
        self._is_gone = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends, and counts once all is sent or nobody is there any more."""
        watch = asyncio.ensure_future(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._pour(scope["app"], send)
        finally:
            watch.cancel()
            await Tally.of(scope["app"]).add(self._delivery, sent_to=self._at)

    async def _watch(self, receive: Receive) -> None:
        """Notes that the client left: a server swallows what is sent after that."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True

    async def _pour(self, app: Starlette, send: Send) -> None:
        chunk = bytes(self.body)
        while chunk:
            stop = self._at + len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            if self._is_gone:
                return
            self._at = stop
            chunk = await self._next(app)
        if self._at == self._delivery.stop:
            # Apart from the last chunk: once all is sent, a server says that everybody is gone.
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        else:
            log.warning("media_broke_off", bubble_id=self._delivery.bubble_id, sent_to=self._at)

    async def _next(self, app: Starlette) -> bytes:
        """The next chunk; empty at the end, or when the store fails: the connection is then cut off, short."""
        if self._at >= self._delivery.stop:
            return b""
        try:
            return await lane.run(app, lambda: next(self._rest, b""))
        except (KeyError, Missing, Refused) as error:
            log.warning("media_store_failed", reason=repr(error))
            return b""


class Tally:
    """Counts deliveries in groups: whoever finds nobody writing writes for all who came meanwhile.

    Lives on the event loop, so that it needs no lock. A failure is logged and never reaches a response.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._waiting: list[Delivery] = []
        self._is_writing = False

    @staticmethod
    def of(app: Starlette) -> "Tally":
        """The one of the application, made at its first delivery."""
        if not hasattr(app.state, "tally"):
            app.state.tally = Tally(app.state.house)
        found: Tally = app.state.tally
        return found

    async def add(self, delivery: Delivery, *, sent_to: int) -> None:
        """Counts the bytes of a delivery up to `sent_to`."""
        if sent_to > delivery.start:
            self._waiting.append(replace(delivery, stop=sent_to))
        if self._is_writing:
            return
        self._is_writing = True
        try:
            while self._waiting:
                await asyncio.sleep(GATHER_S)
                group, self._waiting = self._waiting, []
                await run_in_threadpool(self._write, group)
        finally:
            self._is_writing = False

    def _write(self, group: list[Delivery]) -> None:
        try:
            with self._house.database.transaction() as session:
                listen.count(session, group, now=self._house.now())
        except Exception:
            log.exception("deliveries_not_counted", deliveries=len(group))
