"""Refusals on the wire: RFC 9457 problem details with a stable `code`; a page for people who browse."""

import errno

import structlog
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bubbles.absences import ABSENCES
from bubbles.db import away
from bubbles.errors import EXHAUSTED, STATUS, Code, Missing, Refused
from bubbles.http import pages
from bubbles.http.bearer import TokenRefused
from bubbles.http.caching import NO_STORE
from bubbles.meters import REFUSALS

MEDIA_TYPE = "application/problem+json"
RETRY_MISSING_S = 30
METHOD_NOT_ALLOWED = 405
BROKEN = "Something went wrong here."
PROGRAM_PATHS = ("/api/", "/media/")
TOO_SLOW = "57014"
"""A statement that its time-out has cancelled."""

log = structlog.get_logger()

_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.BAD_REQUEST, 413: Code.TOO_LARGE}


def problem(code: Code, detail: str, *, status: int, retry_after_s: int | None = None) -> Response:
    """A problem document."""
    headers = dict(NO_STORE)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code}
    body["detail"] = sayable(detail)
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def sayable(detail: str) -> str:
    """A detail may repeat what was sent; half a surrogate pair, which no text can hold, becomes a question mark."""
    return detail.encode("utf-8", "replace").decode()


def answer(
    request: Request, code: Code, detail: str, *, status: int, retry_after_s: int | None = None, text: str = ""
) -> Response:
    """A page for who browses pages, a problem document for everyone else; `text` is the page's, unless the code's."""
    path = request.url.path
    browses = "text/html" in request.headers.get("accept", "") and not path.startswith(PROGRAM_PATHS)
    if browses:
        response = pages.error(request, text or code, status=status, retry_after_s=retry_after_s)
    else:
        response = problem(code, detail, status=status, retry_after_s=retry_after_s)
    if status == STATUS[Code.UNAUTHORISED]:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def on_refused(request: Request, refused: Exception) -> Response:
    """What the caller did wrong."""
    assert isinstance(refused, Refused)  # noqa: S101 - Starlette hands over what was registered
    REFUSALS.labels(refused.code).inc()
    log.info("refused", code=refused.code)
    response = answer(
        request,
        refused.code,
        refused.detail,
        status=refused.status,
        retry_after_s=refused.retry_after_s,
        text=refused.text,
    )
    if isinstance(refused, TokenRefused):
        response.headers["WWW-Authenticate"] = refused.challenge
    return response


def on_missing(request: Request, missing: Exception) -> Response:
    """A part of ours that is away."""
    assert isinstance(missing, Missing)  # noqa: S101 - as above
    ABSENCES.missed(missing.part, missing.detail)
    detail = f"The {missing.part} is away; try again soon."
    return answer(request, Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def on_database(request: Request, error: Exception) -> Response:
    """The database does not answer, or not in time; what else it objects to is a bug of ours."""
    if not (detail := _passing(error)):
        return on_bug(request, error)
    ABSENCES.missed("database", away.detail(error))
    return answer(request, Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def _passing(error: Exception) -> str:
    """What to say of a trouble that passes by itself; nothing for any other."""
    if not isinstance(error, DBAPIError):
        return "The database is busy; try again soon."  # no connection came free
    if getattr(error.orig, "sqlstate", None) == TOO_SLOW:
        return "That took too long; ask for less, or try again soon."
    return "The database is away; try again soon." if away.is_away(error) else ""


def on_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = _OF_STATUS.get(error.status_code, Code.BAD_REQUEST)
    response = answer(request, code, error.detail, status=error.status_code)
    response.headers.update(error.headers or {})
    if error.status_code == METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(_methods(request)) or response.headers.get("allow", "GET, HEAD")
    return response


def _methods(request: Request) -> list[str]:
    """All methods of a path: each has a route of its own, and a route knows only its own."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    path = request.scope["path"]
    return sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})


def on_system(request: Request, error: Exception) -> Response:
    """The machine has no room, or no more open files; what else it objects to is a bug of ours."""
    if not isinstance(error, OSError) or error.errno not in EXHAUSTED:
        raise error
    log.error("machine_exhausted", error=errno.errorcode[error.errno])
    detail = "There is no room just now; try again soon."
    return answer(request, Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def on_bug(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the trace is in the log, under the request's id."""
    log.error("bug", exc_info=error)
    return problem(Code.UNAVAILABLE, BROKEN, status=500)
