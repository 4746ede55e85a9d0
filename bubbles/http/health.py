"""GET /healthz, /readyz: whether it runs, and what is degraded."""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bubbles.http.caching import NO_STORE
from bubbles.http.parts import Parts


async def alive(request: Request) -> Response:
    """200 as long as the process answers, whatever its threads wait for."""
    return PlainTextResponse("ok\n", headers=NO_STORE)


async def ready(request: Request) -> Response:
    """Each part with `ok` or what is wrong; 503 only without the database, since all else can wait.

    Answers in `looks.LOOK_MAX_S`, however a part hangs.
    """
    stand = await Parts.of(request.app).stand()
    degraded = [part for part, word in stand.parts.items() if word != "ok"]
    body = {"ready": stand.is_ready, "degraded": degraded, "parts": dict(stand.parts)}
    return JSONResponse(body, status_code=200 if stand.is_ready else 503, headers=NO_STORE)
