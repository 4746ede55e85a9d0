"""Refusals on the wire: RFC 9457 problem details with a stable `code`; a page for people who browse."""

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.errors import Code, Missing, Refused

MEDIA_TYPE = "application/problem+json"
RETRY_MISSING_S = 30
log = structlog.get_logger()

_OF_STATUS = {404: Code.NOT_FOUND, 405: Code.BAD_REQUEST, 413: Code.TOO_LARGE}


def problem(code: Code, detail: str, *, status: int, retry_after_s: int | None = None) -> Response:
    """A problem document."""
    headers = {"Cache-Control": "no-store"}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def on_refused(request: Request, refused: Exception) -> Response:
    """What the caller did wrong."""
    assert isinstance(refused, Refused)  # noqa: S101 - Starlette hands over what was registered
    log.info("refused", code=refused.code)
    return problem(refused.code, refused.detail, status=refused.status, retry_after_s=refused.retry_after_s)


def on_missing(request: Request, missing: Exception) -> Response:
    """A part of ours that is away."""
    assert isinstance(missing, Missing)  # noqa: S101 - as above
    log.warning("missing", part=missing.part, detail=missing.detail)
    detail = f"The {missing.part} is away; try again soon."
    return problem(Code.UNAVAILABLE, detail, status=503, retry_after_s=RETRY_MISSING_S)


def on_http(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: an unknown path, a wrong method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    code = _OF_STATUS.get(error.status_code, Code.BAD_REQUEST)
    response = problem(code, error.detail, status=error.status_code)
    response.headers.update(error.headers or {})
    return response


def on_bug(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the trace is in the log, under the request's id."""
    log.error("bug", exc_info=error)
    return problem(Code.UNAVAILABLE, "Something went wrong here.", status=500)
