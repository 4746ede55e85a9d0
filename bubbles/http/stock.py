"""Documents that are the same for everyone and dear to make: each is made once and kept for a while, within a bound."""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from bubbles.errors import Busy
from bubbles.http import render
from bubbles.http.assets import COMPRESSION
from bubbles.http.caching import REVALIDATED


@dataclass(frozen=True)
class Kept:
    """A document, compressed."""

    etag: str
    until: datetime
    body: bytes


class Stock:
    """The documents of an application. One is made at a time; who asks for it meanwhile waits and is given the same."""

    def __init__(self, *, kept: timedelta, bodies_max: int, wait_s: float) -> None:
        self._kept = kept
        self._bodies_max = bodies_max
        self._wait_s = wait_s
        self._known: OrderedDict[str, Kept] = OrderedDict()
        self._making = threading.Lock()

    def answer(
        self, request: Request, make: Callable[[], tuple[bytes, bool]], *, now: datetime, media_type: str
    ) -> Response:
        """The document of the path, or 304 without making it where the client has it and it is not too old.

        `make` returns it and whether it may be kept. Raises `Busy` where others are being made for too long.
        """
        name = request.url.path
        known = self._fresh(name, now) or self._made(name, make, now)
        headers = {"Cache-Control": REVALIDATED, "ETag": known.etag, "Vary": "Accept-Encoding"}
        if render.has(request, known.etag):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(known.body, headers=headers | {"Content-Encoding": "gzip"}, media_type=media_type)
        return Response(gzip.decompress(known.body), headers=headers, media_type=media_type)

    def _fresh(self, name: str, now: datetime) -> Kept | None:
        known = self._known.get(name)
        return known if known and now < known.until else None

    def _made(self, name: str, make: Callable[[], tuple[bytes, bool]], now: datetime) -> Kept:
        if not self._making.acquire(timeout=self._wait_s):
            raise Busy("Much is being made just now; try again in a moment.")
        try:
            return self._fresh(name, now) or self._keep(name, *make(), now)  # fresh by whoever came first
        finally:
            self._making.release()

    def _keep(self, name: str, content: bytes, may_stay: bool, now: datetime) -> Kept:
        made = Kept(
            render.etag_of(content), now + self._kept if may_stay else now, gzip.compress(content, COMPRESSION, mtime=0)
        )
        self._known[name] = made
        self._known.move_to_end(name)
        if len(self._known) > self._bodies_max:
            self._known.popitem(last=False)
        return made
