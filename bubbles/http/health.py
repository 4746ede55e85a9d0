"""GET /healthz, /readyz: whether it runs, and what is degraded."""

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bubbles.db import towns
from bubbles.errors import Missing, Refused
from bubbles.http import auth, basemap, lane
from bubbles.http.caching import NO_STORE
from bubbles.speech import models


async def alive(request: Request) -> Response:
    """200 as long as the process answers, whatever its threads wait for."""
    return PlainTextResponse("ok\n", headers=NO_STORE)


async def ready(request: Request) -> Response:
    """Each part with `ok` or what is wrong; 503 only without the database, since all else can wait."""
    parts = {
        "database": await run_in_threadpool(_database, request),
        "store": await _store(request),
        "model": await run_in_threadpool(_model, request),
        "basemap": "ok" if basemap.is_built(auth.house(request).settings) else "missing",
        "places": await run_in_threadpool(_places, request),
    }
    status = 200 if parts["database"] == "ok" else 503
    return JSONResponse({"ready": status == 200, "parts": parts}, status_code=status, headers=NO_STORE)


def _database(request: Request) -> str:
    try:
        auth.house(request).database.check()
    except SQLAlchemyError:
        return "away"
    return "ok"


def _places(request: Request) -> str:
    try:
        with auth.house(request).database.transaction() as session:
            towns.require(session)
    except SQLAlchemyError:
        return "away"
    except Missing:
        return "missing"
    return "ok"


async def _store(request: Request) -> str:
    try:
        await lane.run(request.app, lambda: auth.house(request).blobs.size("ready"))
    except KeyError:
        return "ok"
    except (Missing, Refused):
        return "away"
    return "ok"


def _model(request: Request) -> str:
    settings = auth.house(request).settings
    try:
        models.locate(settings.whisper_model, settings.models_dir)
    except Missing:
        return "missing"
    return "ok"
