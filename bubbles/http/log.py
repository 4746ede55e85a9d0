"""What the house writes down of a request: its route, never its address, its query, its codes or who asked."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from starlette.requests import Request
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bubbles import ids, spans
from bubbles.meters import REQUEST_S, REQUESTS

GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
"""A request's id as a proxy may give it."""

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
"""Methods that are written down; a client may send any word."""

PROBES = {"/healthz", "/readyz", "/metrics"}
"""Asked every few seconds by machines: a line for debugging, unless it goes wrong."""

HTTP_BAD = 400
NOTES = "bubbles.notes"
log = structlog.get_logger()


def note(request: Request, **known: int) -> None:
    """Has this line and all further ones of the request tell what it is about: numbers of rows, nothing else."""
    request.scope.setdefault(NOTES, {}).update(known)
    structlog.contextvars.bind_contextvars(**known)


class RequestLog:
    """Gives each request an id (in the answer as `X-Request-Id`), logs it, counts and times it.

    `trusts` tells whether a peer is a proxy of ours, whose `X-Request-Id` is taken over; `counts` is told of each
    request.
    """

    def __init__(self, app: ASGIApp, *, trusts: Callable[[str], bool], counts: Callable[[Scope], None]) -> None:
        self._app = app
        self._trusts = trusts
        self._counts = counts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One line a request, once it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(self._id(scope))
        self._counts(scope)

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.begin(message)
            answer.length_bytes += len(message.get("body", b""))
            await send(message)

        scope[NOTES] = {}
        with (
            structlog.contextvars.bound_contextvars(request_id=answer.request_id),
            spans.span(_method(scope), request__id=answer.request_id) as span,
        ):
            try:
                await self._app(scope, receive, sent)
            finally:
                _tell(scope, answer)
                route = _route(scope)
                span.name(f"{_method(scope)} {route}", http__route=route, http__response__status_code=answer.status)

    def _id(self, scope: Scope) -> str:
        """The proxy's id for the request, else one of our own."""
        peer = scope["client"][0] if scope.get("client") else ""
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"x-request-id"), "")
        return given if GIVEN_ID.fullmatch(given) and self._trusts(peer) else ids.new_code()


@dataclass
class _Answer:
    """What is known of an answer on its way; `first_s` is when it began."""

    request_id: str
    status: int = 500
    length_bytes: int = 0
    began_s: float = field(default_factory=time.perf_counter)
    first_s: float | None = None

    def begin(self, message: Message) -> None:
        self.status, self.first_s = message["status"], self.taken_s()
        message["headers"] = [*message.get("headers", []), (b"x-request-id", self.request_id.encode())]

    def taken_s(self) -> float:
        return time.perf_counter() - self.began_s


def _tell(scope: Scope, answer: _Answer) -> None:
    route, taken_s = _route(scope), answer.taken_s()
    REQUESTS.labels(route, str(answer.status)).inc()
    REQUEST_S.labels(route).observe(taken_s if answer.first_s is None else answer.first_s)
    is_probe = route in PROBES and answer.status < HTTP_BAD
    (log.debug if is_probe else log.info)(
        "request",
        method=_method(scope),
        route=route,
        status=answer.status,
        bytes=answer.length_bytes,
        duration_ms=round(taken_s * 1000, 1),
        **scope[NOTES],
    )


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "other"


def _route(scope: Scope) -> str:
    """The path as the URL table writes it: codes and handles stay out of the log."""
    endpoint: Any = scope.get("endpoint")
    mounts = (route.path for route in scope["app"].routes if isinstance(route, Mount) and route.app is endpoint)
    return str(scope["app"].state.paths.get(endpoint) or next(mounts, "unknown")) if endpoint else "unknown"
