"""What the house writes down of a request: its route, never its address, its query or who asked."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bubbles import ids
from bubbles.http.metrics import REQUESTS

log = structlog.get_logger()


class RequestLog:
    """Gives each request an id (in the answer as `X-Request-Id`), logs it and counts it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = ids.new_code()
        status, began_s, took_ms = 500, time.monotonic(), 0.0

        async def sent(message: Message) -> None:
            nonlocal status, took_ms
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)
            took_ms = round((time.monotonic() - began_s) * 1000, 1)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, sent)
            finally:
                route = _route(scope)
                REQUESTS.labels(route, str(status)).inc()
                log.info("request", method=scope["method"], route=route, status=status, took_ms=took_ms)


def _route(scope: Scope) -> str:
    """The path as the URL table writes it: codes and handles stay out of the log."""
    endpoint = scope.get("endpoint")
    return str(scope["app"].state.paths.get(endpoint, "unknown")) if endpoint else "unknown"
