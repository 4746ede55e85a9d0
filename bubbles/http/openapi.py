"""GET /api/openapi.json: OpenAPI 3.1, made from the URL table; schemas are named there and written in `schemas.py`."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.accept import KEY_LENGTH_MAX
from bubbles.errors import STATUS
from bubbles.http import auth, basemap
from bubbles.http.caching import PUBLIC
from bubbles.http.errors import PROGRAM_PATHS
from bubbles.http.languages import LANGUAGES
from bubbles.http.schemas import CODE, HANDLE, PARAMETERS, SCHEMAS, TEXT, TIME, Schema, named, one_of
from bubbles.policy import MAY, Action, Standing

BODY_TYPES = {
    "Upload": "multipart/form-data",
    "Patch": "application/merge-patch+json",
    "Form": "application/x-www-form-urlencoded",
}
KEY: Schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX}
SUCCESS = {"Upload": "202"}
PAGE_NUMBER: Schema = {"type": "integer", "minimum": 1}
PATH: dict[str, Schema] = {"code": CODE, "handle": HANDLE, "account": HANDLE, "number": PAGE_NUMBER}
OF_STATS = {"name": "format", "in": "query", "schema": one_of(["json", "csv"])}
IF_MATCH = {"name": "If-Match", "in": "header", "schema": TEXT}
BY_OPERATION: dict[str, list[Schema]] = {
    "GET /@{handle}": [{"name": "before", "in": "query", "schema": TIME}],
    "GET /api/bubbles/{code}/stats": [OF_STATS],
    "GET /api/channels/{handle}/stats": [OF_STATS],
    "GET /map/style.json": [
        {"name": name, "in": "query", "schema": one_of(values)}
        for name, values in (("theme", basemap.THEMES), ("language", LANGUAGES))
    ],
    "GET /map/tiles.pmtiles": [
        {"name": "v", "in": "query", "schema": TEXT},
        *({"name": name, "in": "header", "schema": TEXT} for name in ("Range", "If-Range", "If-None-Match")),
    ],
    "GET /media/{code}.{kind}": [
        {"name": name, "in": "header", "schema": TEXT} for name in ("Range", "If-Range", "If-None-Match", "If-Match")
    ],
    "GET /b/{code}/embed": [{"name": "theme", "in": "query", "schema": one_of(["light", "dark"])}],
    "GET /oembed": [
        {"name": "url", "in": "query", "required": True, "schema": TEXT},
        {"name": "format", "in": "query", "schema": one_of(["json", "xml"])},
        {"name": "maxwidth", "in": "query", "schema": {"type": "integer"}},
        {"name": "maxheight", "in": "query", "schema": {"type": "integer"}},
    ],
    "GET /on-air": [{"name": "after", "in": "query", "schema": CODE}],
    "PATCH /api/bubbles/{code}": [IF_MATCH],
    "DELETE /api/bubbles/{code}": [IF_MATCH],
    "PUT /api/bubbles/{code}/transcript": [IF_MATCH],
}
"""Parameters that only one operation has."""

WORDS: Schema = {kind: {"schema": TEXT} for kind in ("text/vtt", "application/x-subrip", "text/plain")}
WORDS["application/json"] = {"schema": named("Transcript")}
UNCHANGED = {"304": {"description": "What If-None-Match names."}}
ELSEWHERE = {"303": {"description": "On to the next page."}}


def _range(kind: str) -> dict[str, Schema]:
    return {"206": {"description": "The range.", "content": {kind: {"schema": {}}}}}


def _refused(status: str, text: str) -> dict[str, Schema]:
    return {status: {"description": text, "content": {"application/problem+json": {"schema": named("Problem")}}}}


ALSO: dict[str, dict[str, Schema]] = {
    "GET /api/map": UNCHANGED,
    "GET /api/places": UNCHANGED,
    "GET /map/style.json": UNCHANGED,
    "GET /map/tiles.pmtiles": UNCHANGED | _range("application/vnd.pmtiles") | _refused("416", "No such range."),
    "GET /media/{code}.{kind}": UNCHANGED
    | _range("audio/*")
    | _refused("412", "Not what If-Match names.")
    | _refused("416", "No such range."),
    "GET /api/bubbles/{code}": UNCHANGED,
    "GET /b/{code}.{format}": UNCHANGED | {"200": {"description": "The words.", "content": WORDS}},
    "GET /b/{code}/qr.svg": UNCHANGED,
    "GET /oembed": UNCHANGED
    | {
        "200": {
            "description": "As asked.",
            "content": {"application/json": {"schema": {}}, "text/xml": {"schema": {}}},
        },
        "501": {"description": "Another format than json or xml.", "content": {"text/plain": {"schema": TEXT}}},
    },
    "GET /sitemap.xml": UNCHANGED,
    "GET /sitemaps/{number}.xml": UNCHANGED,
    "GET /app.webmanifest": {
        "200": {"description": "The manifest.", "content": {"application/manifest+json": {"schema": {}}}}
    },
    "GET /sw.js": UNCHANGED,
    "GET /me": {"204": {"description": "A stranger."}},
    "GET /sign-in": ELSEWHERE,
    "GET /sign-up": ELSEWHERE,
    "GET /account": ELSEWHERE,
    "GET /studio": ELSEWHERE,
    "GET /studio/bubbles/{code}": ELSEWHERE,
    "POST /account/delete": ELSEWHERE,
    "POST /account/recovery-codes": ELSEWHERE,
    "POST /account/tokens": ELSEWHERE,
    "POST /account/invitations": ELSEWHERE,
}
"""Answers beside the usual one."""


def document(request: Request) -> Response:
    """The description of every operation."""
    paths: dict[str, Schema] = {}
    for row in request.app.state.operations:
        paths.setdefault(row.path, {})[row.method.lower()] = operation(row)
    body = {
        "openapi": "3.1.0",
        "info": {"title": "Bubbles", "version": "1"},
        "servers": [{"url": auth.house(request).settings.public_url}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": auth.cookie_name(request)},
            },
        },
    }
    return JSONResponse(body, headers=PUBLIC)


def operation(row: Any) -> Schema:
    """One row of the URL table as OpenAPI says it."""
    path_parameters = [
        {"name": name, "in": "path", "required": True, "schema": PATH.get(name, TEXT)}
        for name in re.findall(r"{(\w+)}", row.path)
    ]
    name = f"{row.method} {row.path}"
    described: Schema = {
        "summary": row.summary,
        "operationId": f"{row.handler.__module__.rpartition('.')[2]}_{row.handler.__name__}",
        "parameters": path_parameters + _parameters(row.takes) + BY_OPERATION.get(name, []),
        "responses": _usual(row) | ALSO.get(name, {}) | _problems(row.path),
    }
    if row.takes not in {"", *PARAMETERS}:
        kind = BODY_TYPES.get(row.takes, "application/json")
        described["requestBody"] = {"required": True, "content": {kind: {"schema": named(row.takes)}}}
    if Standing.ANYONE not in MAY[row.action]:
        described["security"] = [{"session": []} if row.action is Action.KEEP_ACCOUNT else {"token": []}]
    return described


def _usual(row: Any) -> dict[str, Schema]:
    """What is answered when all goes well: a form leads on to a page, a page that the browser has is not sent again."""
    if row.takes == "Form" and not row.gives:
        return ELSEWHERE
    unchanged = UNCHANGED if row.method == "GET" and row.gives == "text/html" else {}
    return {_success(row): _answer(row.gives)} | unchanged


def _success(row: Any) -> str:
    return SUCCESS.get(row.takes, "200" if row.gives else "204")


def _parameters(takes: str) -> list[Schema]:
    if takes == "Upload":
        return [{"name": "Idempotency-Key", "in": "header", "schema": KEY}]
    return [{"name": name, "in": "query", "schema": schema} for name, schema in PARAMETERS.get(takes, {}).items()]


def _answer(gives: str) -> Schema:
    if not gives:
        return {"description": "Done."}
    if "/" in gives:
        return {"description": "As asked.", "content": {gives: {"schema": {}}}}
    kind = "application/geo+json" if gives in {"Features", "Map"} else "application/json"
    content: Schema = {kind: {"schema": named(gives)}}
    if gives == "Stats":
        content["text/csv"] = {"schema": TEXT}
    return {"description": "As asked.", "content": content}


def _problems(path: str) -> dict[str, Schema]:
    """Every refusal there is, by status; which of them an operation can meet, the codes tell."""
    problem = {"application/problem+json": {"schema": named("Problem")}}
    if not path.startswith(PROGRAM_PATHS):  # who browses is told on a page
        problem["text/html"] = {"schema": TEXT}
    by_status: dict[str, list[str]] = {}
    for code, status in STATUS.items():
        by_status.setdefault(str(status), []).append(code)
    return {status: {"description": ", ".join(codes), "content": problem} for status, codes in by_status.items()}
