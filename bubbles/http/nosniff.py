"""The header `nosniff` on every answer, whoever makes it: a browser takes the type as told and guesses none.

The outermost layer of all, so that what is refused, redirected, not changed or broken bears it too; beyond it there is
only what a connection refuses before there is a request (`connection.py`).
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bubbles.errors import Code
from bubbles.http import errors

NAME, VALUE = b"x-content-type-options", b"nosniff"


class Nosniff:
    """Adds the header, once; an application that broke before it answered is answered for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def sent(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message.get("headers", []), (NAME, VALUE)]
            await send(message)

        try:
            await self._app(scope, receive, sent)
        except BaseException:
            if not has_begun:
                await errors.problem(Code.UNAVAILABLE, errors.BROKEN, status=500)(scope, receive, sent)
            raise
