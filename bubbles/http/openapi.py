"""GET /api/openapi.json: OpenAPI 3.1, made from the URL table; schemas are named there and written here."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles import ids, listen
from bubbles.accept import KEY_LENGTH_MAX
from bubbles.db.listening import FIGURES
from bubbles.errors import STATUS, Code
from bubbles.http import auth
from bubbles.http.caching import PUBLIC
from bubbles.http.errors import PROGRAM_PATHS
from bubbles.model.bubble import State, Visibility
from bubbles.model.place import PlaceRole, Precision
from bubbles.model.query import LIMIT_MAX, TEXT_MAX, Sort
from bubbles.model.transcript import TranscriptState
from bubbles.policy import MAY, Standing
from bubbles.stats import FEW

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
TIME: Schema = {"type": "string", "format": "date-time"}
CODE: Schema = {"type": "string", "pattern": f"^{ids.CODE_PATTERN.pattern}$"}
HANDLE: Schema = {"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9_-]{0,28}[A-Za-z0-9])?$"}
LANGUAGE: Schema = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$", "description": "BCP 47"}


def _object(required: str = "", **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _closed(required: str = "", **properties: Schema) -> Schema:
    """An object that may have no other property."""
    return _object(required, **properties) | {"additionalProperties": False}


def _one_of(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


CUE = _closed("start_s end_s text", start_s=NUMBER, end_s=NUMBER, text=TEXT, unsure={"type": "boolean"})
PLACE_FIELDS: dict[str, Schema] = {
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
    "precision": _one_of(Precision),
    "role": _one_of(PlaceRole),
}
TEXT_FIELDS: dict[str, Schema] = {
    "title": {"type": "string", "maxLength": 200},
    "language": LANGUAGE,
    "visibility": _one_of(Visibility),
}
COUNT: Schema = {"anyOf": [NUMBER, {"const": FEW}]}
COUNTS = dict.fromkeys(FIGURES, COUNT)
TEAM_ONLY: dict[str, Schema] = {
    "version": {"type": "integer", "description": "For the team only, as the next four."},
    "keep_recording": {"type": "boolean"},
    "held_reason": _or_null(TEXT),
    "refused_reason": _or_null(TEXT),
    "withdrawn_reason": _or_null(TEXT),
}
SCHEMAS: dict[str, Schema] = {
    "Upload": _object(
        "audio",
        audio={"type": "string", "format": "binary", "contentMediaType": "audio/*"},
        **TEXT_FIELDS,
        latitude=PLACE_FIELDS["latitude"],
        longitude=PLACE_FIELDS["longitude"],
        precision=PLACE_FIELDS["precision"],
        place_role=PLACE_FIELDS["role"],
        tags={"type": "string", "description": "Separated by commas; may be sent several times."},
        channel=TEXT,
        keep_recording={"type": "boolean"},
        recorded_at=TIME,
    ),
    "Patch": _closed(
        "",
        title=_or_null(TEXT_FIELDS["title"]),
        language=_or_null(LANGUAGE),
        visibility=TEXT_FIELDS["visibility"],
        tags=_or_null(_list(TEXT)),
        place=_or_null(_closed("", **PLACE_FIELDS)),
    ),
    "Correction": _closed("cues", language=_or_null(LANGUAGE), cues=_list(CUE)),
    "Transcript": _object(
        "state language text cues",
        state=_one_of(TranscriptState),
        waiting_for=_or_null(TEXT),
        language=_or_null(TEXT),
        language_doubtful={"type": "boolean"},
        corrected={"type": "boolean"},
        text=TEXT,
        cues=_list(CUE),
    ),
    "Bubble": _object(
        "code state url title tags visibility channel place duration_s renditions transcript",
        code=CODE,
        state=_one_of(State),
        url={"type": "string", "format": "uri"},
        title=TEXT,
        tags=_list(TEXT),
        language=_or_null(TEXT),
        visibility=_one_of(Visibility),
        channel=_object("handle title url", handle=TEXT, title=TEXT, url=TEXT),
        place=_or_null(_object("latitude longitude radius_m precision role", radius_m=NUMBER, **PLACE_FIELDS)),
        duration_s=NUMBER,
        recorded_at=TIME,
        created_at=TIME,
        published_at=_or_null(TIME),
        peaks=_list({"type": "integer", "minimum": 0, "maximum": 255}),
        renditions=_list(_object("kind type url length_bytes", kind=TEXT, type=TEXT, url=TEXT, length_bytes=NUMBER)),
        transcript=_ref("Transcript"),
        queue=_or_null(_object("step position eta_s", step=TEXT, position=NUMBER, eta_s=_or_null(NUMBER))),
        match=_object("start_s snippet", start_s=NUMBER, snippet=TEXT),
        distance_m=NUMBER,
        **TEAM_ONLY,
    ),
    "Page": _object("items next", items=_list(_ref("Bubble")), next=_or_null(TEXT)),
    "Features": _object("type features", type=TEXT, features=_list({"type": "object"}), next=_or_null(TEXT)),
    "Heard": _object(
        "code play heard",
        code=CODE,
        play={"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        heard={"type": "array", "maxItems": listen.PARTS_MAX, "items": _list(NUMBER)},
    ),
    "Stats": _object(
        f"{' '.join(FIGURES)} team bots method as_of",
        **COUNTS,
        team=_object(" ".join(FIGURES), **COUNTS),
        bots=_object(" ".join(FIGURES), **COUNTS),
        method={"type": "object", "additionalProperties": TEXT},
        as_of=TIME,
        code=CODE,
        channel=HANDLE,
        bubbles_left_out={"type": "integer", "minimum": 0},
    ),
    "Problem": _object("title status code", title=TEXT, status=NUMBER, code=_one_of(Code), detail=TEXT),
}
QUERY: dict[str, Schema] = {
    "q": {"type": "string", "maxLength": TEXT_MAX},
    "near": {"type": "string", "description": "latitude,longitude"},
    "radius_m": NUMBER,
    "bbox": {"type": "string", "description": "west,south,east,north"},
    "channel": HANDLE,
    "language": LANGUAGE,
    "tag": _list(TEXT),
    "since": TIME,
    "until": TIME,
    "sort": _one_of(Sort),
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX},
    "cursor": TEXT,
}
BODY_TYPES = {"Upload": "multipart/form-data", "Patch": "application/merge-patch+json"}
KEY: Schema = {"type": "string", "minLength": 1, "maxLength": KEY_LENGTH_MAX}
SUCCESS = {"Upload": "202"}
PATH: dict[str, Schema] = {"code": CODE, "handle": HANDLE}
OF_STATS = {"name": "format", "in": "query", "schema": _one_of(["json", "csv"])}
IF_MATCH = {"name": "If-Match", "in": "header", "schema": TEXT}
BY_OPERATION: dict[str, list[Schema]] = {
    "GET /@{handle}": [{"name": "before", "in": "query", "schema": TIME}],
    "GET /api/bubbles/{code}/stats": [OF_STATS],
    "GET /api/channels/{handle}/stats": [OF_STATS],
    "GET /media/{code}.{kind}": [
        {"name": name, "in": "header", "schema": TEXT} for name in ("Range", "If-Range", "If-None-Match", "If-Match")
    ],
    "PATCH /api/bubbles/{code}": [IF_MATCH],
    "DELETE /api/bubbles/{code}": [IF_MATCH],
    "PUT /api/bubbles/{code}/transcript": [IF_MATCH],
}
"""Parameters that only one operation has."""

WORDS: Schema = {kind: {"schema": TEXT} for kind in ("text/vtt", "application/x-subrip", "text/plain")}
WORDS["application/json"] = {"schema": _ref("Transcript")}
UNCHANGED = {"304": {"description": "What If-None-Match names."}}
ELSEWHERE = {"303": {"description": "On to the next page."}}
ALSO: dict[str, dict[str, Schema]] = {
    "GET /media/{code}.{kind}": UNCHANGED
    | {"206": {"description": "The range.", "content": {"audio/*": {"schema": {}}}}}
    | {
        status: {"description": text, "content": {"application/problem+json": {"schema": _ref("Problem")}}}
        for status, text in (("412", "Not what If-Match names."), ("416", "No such range."))
    },
    "GET /api/bubbles/{code}": UNCHANGED,
    "GET /b/{code}.{format}": UNCHANGED | {"200": {"description": "The words.", "content": WORDS}},
    "GET /b/{code}": UNCHANGED,
    "GET /@{handle}": UNCHANGED,
    "GET /search": UNCHANGED,
    "GET /": UNCHANGED,
    "GET /sitemap.xml": UNCHANGED,
    "GET /me": {"204": {"description": "A stranger."}},
    "POST /sign-in/{secret}": ELSEWHERE,
    "POST /sign-out": ELSEWHERE,
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
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
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
    usual = {} if ALSO.get(name) is ELSEWHERE else {_success(row): _answer(row.gives)}
    described: Schema = {
        "summary": row.summary,
        "operationId": f"{row.handler.__module__.rpartition('.')[2]}_{row.handler.__name__}",
        "parameters": path_parameters + _parameters(row.takes) + BY_OPERATION.get(name, []),
        "responses": usual | ALSO.get(name, {}) | _problems(row.path),
    }
    if row.takes not in {"", "Query"}:
        kind = BODY_TYPES.get(row.takes, "application/json")
        described["requestBody"] = {"required": True, "content": {kind: {"schema": _ref(row.takes)}}}
    if Standing.ANYONE not in MAY[row.action]:
        described["security"] = [{"token": []}]
    return described


def _success(row: Any) -> str:
    return SUCCESS.get(row.takes, "200" if row.gives else "204")


def _parameters(takes: str) -> list[Schema]:
    if takes == "Upload":
        return [{"name": "Idempotency-Key", "in": "header", "schema": KEY}]
    return (
        [{"name": name, "in": "query", "schema": schema} for name, schema in QUERY.items()] if takes == "Query" else []
    )


def _answer(gives: str) -> Schema:
    if not gives:
        return {"description": "Done."}
    if "/" in gives:
        return {"description": "As asked.", "content": {gives: {"schema": {}}}}
    kind = "application/geo+json" if gives == "Features" else "application/json"
    content: Schema = {kind: {"schema": _ref(gives)}}
    if gives == "Stats":
        content["text/csv"] = {"schema": TEXT}
    return {"description": "As asked.", "content": content}


def _problems(path: str) -> dict[str, Schema]:
    """Every refusal there is, by status; which of them an operation can meet, the codes tell."""
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    if not path.startswith(PROGRAM_PATHS):  # who browses is told on a page
        problem["text/html"] = {"schema": TEXT}
    by_status: dict[str, list[str]] = {}
    for code, status in STATUS.items():
        by_status.setdefault(str(status), []).append(code)
    return {status: {"description": ", ".join(codes), "content": problem} for status, codes in by_status.items()}
