"""Refusals on the wire: RFC 9457 problem details with a stable `code`; a page for people who browse."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.errors import Code, Missing, Refused
from bubbles.http import pages
from bubbles.http.metrics import REFUSALS

MEDIA_TYPE = "application/problem+json"
RETRY_MISSING_S = 30
PROGRAM_PATHS = ("/api/", "/media/")
log = structlog.get_logger()

_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.BAD_REQUEST, 413: Code.TOO_LARGE}


def problem(code: Code, detail: str, *, status: int, retry_after_s: int | None = None) -> Response:
    """A problem document."""
    headers = {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def answer(request: Request, code: Code, detail: str, *, status: int, retry_after_s: int | None = None) -> Response:
    """A page for who browses pages, a problem document for everyone else."""
    path = request.url.path
    browses = "text/html" in request.headers.get("accept", "") and not path.startswith(PROGRAM_PATHS)
    if not browses:
        return problem(code, detail, status=status, retry_after_s=retry_after_s)
    return pages.error(request, code, detail, status=status, retry_after_s=retry_after_s)


def on_refused(request: Request, refused: Exception) -> Response:
    """What the caller did wrong."""
    assert isinstance(refused, Refused)  # noqa: S101 - Starlette hands over what was registered
    REFUSALS.labels(refused.code).inc()
    log.info("refused", code=refused.code)
    return answer(request, refused.code, refused.detail, status=refused.status, retry_after_s=refused.retry_after_s)


def on_missing(request: Request, missing: Exception) -> Response:
    """A part of ours that is away."""
    assert isinstance(missing, Missing)  # noqa: S101 - as above
    log.warning("missing", part=missing.part, detail=missing.detail)
    detail = f"The {missing.part} is away; try again soon."
    return answer(request, Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def on_database(request: Request, error: Exception) -> Response:
    """The database does not answer."""
    log.error("database_away", error=type(error).__name__)
    detail = "The database is away; try again soon."
    return answer(request, Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def on_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = _OF_STATUS.get(error.status_code, Code.BAD_REQUEST)
    response = answer(request, code, error.detail, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


def on_bug(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the trace is in the log, under the request's id."""
    log.error("bug", exc_info=error)
    return problem(Code.UNAVAILABLE, "Something went wrong here.", status=500)
