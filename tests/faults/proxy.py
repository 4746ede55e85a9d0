"""A fault proxy: stands on 127.0.0.1 before a server that speaks HTTP or PostgreSQL, and behaves as a bad network does.

    with FaultProxy.before(url) as proxy:                     # http://... or postgresql://...
        rule = proxy.add(Fault.LOSE_ANSWER, "^PUT /bucket/recordings/", nth=1)
        ...                                                   # a client that connects to proxy.through(url)
        assert rule.fired == 1                                # the fault has really happened
        proxy.heal()

A request of HTTP is known by its first line, `PUT /bucket/key?query HTTP/1.1`; its body has a Content-Length. One of
PostgreSQL is `startup` or a statement as it is sent; what else a client sends is passed on unasked. So `REFUSE` at
`^COMMIT` cuts the connection before the COMMIT is passed on, `LOSE_ANSWER` at `^COMMIT` after it was obeyed.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from sqlalchemy.engine import make_url

from tests.faults.wire import END, PIECE_BYTES, Stream, body_bytes, requests, reset, send

FLIPPED = bytes(byte ^ 0x55 for byte in range(256))
POSTGRES_PORT = 5432
DISK_FULL = b"SERROR\0VERROR\0C53100\0Mcould not extend file: No space left on device\0\0"
IN_A_FAILED_TRANSACTION = b"Z\0\0\0\5E"
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Fault(StrEnum):
    """What happens to a request."""

    REFUSE = "the connection is reset before anything is passed on; while connecting, for a rule that fits everything"
    UNAVAILABLE = "HTTP: 503, nothing is passed on"
    STALL = "never answered, nothing is passed on"
    RESET = "HTTP: the connection is reset in the middle of the request's body, else of the answer"
    LOSE_ANSWER = "passed on whole and obeyed, then the connection is reset instead of the answer"
    DEED = "what the test says is done to the server, then the connection is reset"
    NO_ROOM = "PostgreSQL: the statement is answered as by a server whose disk is full, nothing is passed on"
    WRONG_BYTES = "HTTP: the answer's body has the same length and other bytes"


@dataclass
class Rule:
    """A fault and the requests that it befalls: all that fit, or the `nth` of them, from 1 on.

    `seen` counts the requests that fit, `fired` how often the fault has happened.
    """

    fault: Fault
    fitting: re.Pattern[str]
    nth: int
    deed: Callable[[], None] = lambda: None
    seen: int = 0
    fired: int = 0

    def befalls(self, line: str) -> bool:
        """Whether this request is one of them; counts it."""
        if not self.fitting.search(line):
            return False
        self.seen += 1
        return self.nth in {0, self.seen}


class FaultProxy:
    """The proxy, in a thread; without rules it passes everything on. `target` is an address, or a socket's path."""

    def __init__(self, target: tuple[str, int] | str) -> None:
        self._target = target
        self._rules: list[Rule] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)

    @classmethod
    def before(cls, url: str) -> Self:
        """A proxy before the server of a URL: http://host:port, or postgresql://..., by its socket's folder too."""
        named = make_url(url)
        port = int(str(named.query.get("port") or named.port or POSTGRES_PORT))
        folder = named.query.get("host")
        return cls(f"{folder}/.s.PGSQL.{port}" if folder else (str(named.host), port))

    def through(self, url: str) -> str:
        """The same URL by way of the proxy."""
        named = make_url(url).difference_update_query(["host", "port"]).set(host="127.0.0.1", port=self.port)
        return named.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()
        self._loop.close()

    def add(self, fault: Fault, fitting: str = "", *, nth: int = 0, deed: Callable[[], None] = lambda: None) -> Rule:
        """Have a fault befall the requests in whose first line this expression is found; the oldest rule wins."""
        rule = Rule(fault, re.compile(fitting), nth, deed)
        self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """Forget all rules. What is stalled stays so."""
        self._rules = []

    def rule_for(self, line: str, *, connecting: bool = False) -> Rule | None:
        """The rule that befalls a request, or somebody who connects."""
        rules = (each for each in self._rules if not connecting or each.fault is Fault.REFUSE)
        return next((each for each in rules if each.befalls(line)), None)

    async def _run(self) -> None:
        served: dict[asyncio.Task[None], Stream] = {}

        def serve(*client: Any) -> None:
            task = asyncio.ensure_future(self._serve(client))
            served[task] = client
            task.add_done_callback(served.pop)

        server = await asyncio.start_server(serve, sock=self._listening)
        await self._closing.wait()
        server.close()
        for task, client in served.items():
            client[1].close()  # one that is cancelled before its first line closes nothing itself
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed in the loop's next round

    async def _serve(self, client: Stream) -> None:
        if rule := self.rule_for("", connecting=True):
            rule.fired += 1
            return reset(client)
        connect = asyncio.open_unix_connection if isinstance(self._target, str) else asyncio.open_connection
        try:
            server = await connect(*([self._target] if isinstance(self._target, str) else self._target))
        except OSError:
            return reset(client)
        await _Connection(self, client, server).run()
        return None


class _Cut(Exception):
    """The connection is to be reset."""


class _Connection:
    def __init__(self, proxy: FaultProxy, client: Stream, server: Stream) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._rule: Rule | None = None
        self._line = ""
        self._head = b""  # of an answer that a rule befalls, as far as it has come
        self._left: int | None = None  # bytes of its body that the fault leaves, or changes; None before the body

    async def run(self) -> None:
        """Pass on both ways until one end leaves or is cut off."""
        ways = [asyncio.ensure_future(self._forward()), asyncio.ensure_future(self._back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ended = await asyncio.gather(*ways, return_exceptions=True)
            for stream in (self._client, self._server):
                reset(stream) if any(isinstance(each, _Cut) for each in ended) else stream[1].close()

    async def _forward(self) -> None:
        async for line, head, length in requests(self._client[0]):
            self._rule = self._proxy.rule_for(line) if line else None
            self._line, self._head, self._left = line, b"", None
            if self._has(Fault.NO_ROOM):
                self._rule.fired += 1
                await send(self._client, b"E" + (len(DISK_FULL) + 4).to_bytes(4) + DISK_FULL + IN_A_FAILED_TRANSACTION)
                continue
            await self._begin()
            await send(self._server, head)
            cut = length > 0 and self._has(Fault.RESET)
            await self._pass_body(length // 2 if cut else length)
            if cut:
                self._fire()

    async def _begin(self) -> None:
        if self._has(Fault.REFUSE):
            self._fire()
        if self._has(Fault.DEED):
            self._rule.fired += 1
            await asyncio.to_thread(self._rule.deed)
            raise _Cut
        if self._has(Fault.UNAVAILABLE, Fault.STALL):
            self._rule.fired += 1
            await send(self._client, UNAVAILABLE if self._has(Fault.UNAVAILABLE) else b"")
            while await self._client[0].read(PIECE_BYTES):
                pass  # to close with bytes unread would be a reset
            raise ConnectionResetError

    async def _pass_body(self, left: int) -> None:
        while left and (piece := await self._client[0].read(min(left, PIECE_BYTES))):
            await send(self._server, piece)
            left -= len(piece)

    async def _back(self) -> None:
        while piece := await self._server[0].read(PIECE_BYTES):
            if self._rule is None:
                await send(self._client, piece)
            elif self._left is None:
                await self._answer_begins(piece)
            else:
                await self._answer_goes_on(piece)

    async def _answer_begins(self, piece: bytes) -> None:
        self._head += piece
        if self._head.startswith(b"HTTP/") and END not in self._head:
            return
        if self._head.startswith(b"HTTP/1.1 100"):  # the answer itself follows once the body has come
            await send(self._client, self._head)
            self._head = b""
            return
        head, end, body = self._head.partition(END)
        length = 0 if self._line.startswith("HEAD ") else body_bytes(head)
        self._left = length // 2 if self._has(Fault.RESET) else length
        if self._has(Fault.LOSE_ANSWER) or (self._has(Fault.RESET) and not length):
            self._fire()
        self._rule.fired += self._has(Fault.WRONG_BYTES) and length > 0
        await send(self._client, head + end)
        await self._answer_goes_on(body)

    async def _answer_goes_on(self, piece: bytes) -> None:
        if self._has(Fault.WRONG_BYTES) and self._left:
            piece = piece.translate(FLIPPED)
        if self._has(Fault.RESET):
            piece = piece[: self._left]
            self._left -= len(piece)
        await send(self._client, piece)
        if self._has(Fault.RESET) and not self._left:
            self._fire()

    def _has(self, *faults: Fault) -> bool:
        return self._rule is not None and self._rule.fault in faults

    def _fire(self) -> None:
        self._rule.fired += 1
        raise _Cut
