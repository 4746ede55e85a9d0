"""GET /api/openapi.json: OpenAPI 3.1, made from the URL table; schemas are named there and written here."""

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.errors import STATUS, Code
from bubbles.http import auth
from bubbles.http.caching import PUBLIC
from bubbles.model.bubble import State, Visibility
from bubbles.model.place import PlaceRole, Precision
from bubbles.model.transcript import TranscriptState
from bubbles.policy import MAY, Standing

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
TIME: Schema = {"type": "string", "format": "date-time"}


def _object(required: str = "", **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def _one_of(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


CUE = _object("start_s end_s text", start_s=NUMBER, end_s=NUMBER, text=TEXT, unsure={"type": "boolean"})
PLACE_FIELDS: dict[str, Schema] = {
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
    "precision": _one_of(Precision),
    "role": _one_of(PlaceRole),
}
TEXT_FIELDS: dict[str, Schema] = {
    "title": {"type": "string", "maxLength": 200},
    "language": {"type": "string", "description": "BCP 47"},
    "visibility": _one_of(Visibility),
}
COUNT: Schema = {"anyOf": [NUMBER, {"const": "<5"}]}
COUNTS = dict.fromkeys(("downloads", "starts", "listens", "completions", "heard_s", "listeners"), COUNT)
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
    "Patch": _object("", **TEXT_FIELDS, tags=_list(TEXT), place=_or_null(_object("", **PLACE_FIELDS))),
    "Correction": _object("cues", language=_or_null(TEXT), cues=_list(CUE)),
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
        code=TEXT,
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
    ),
    "Page": _object("items next", items=_list(_ref("Bubble")), next=_or_null(TEXT)),
    "Features": _object("type features", type=TEXT, features=_list({"type": "object"}), next=_or_null(TEXT)),
    "Heard": _object(
        "code play heard",
        code=TEXT,
        play={"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        heard={"type": "array", "maxItems": 200, "items": _list(NUMBER)},
    ),
    "Stats": _object("downloads starts listens completions heard_s listeners", **COUNTS, team=_object("", **COUNTS)),
    "Problem": _object("title status code", title=TEXT, status=NUMBER, code=_one_of(Code), detail=TEXT),
}
QUERY: dict[str, Schema] = {
    "q": {"type": "string", "maxLength": 200},
    "near": {"type": "string", "description": "latitude,longitude"},
    "radius_m": NUMBER,
    "bbox": {"type": "string", "description": "west,south,east,north"},
    "channel": TEXT,
    "language": TEXT,
    "tag": _list(TEXT),
    "since": TIME,
    "until": TIME,
    "sort": _one_of(["newest", "oldest", "nearest", "relevance"]),
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "cursor": TEXT,
}
BODY_TYPES = {"Upload": "multipart/form-data", "Patch": "application/merge-patch+json"}
SUCCESS = {"Upload": "202"}


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
        {"name": name, "in": "path", "required": True, "schema": TEXT} for name in re.findall(r"{(\w+)}", row.path)
    ]
    described: Schema = {
        "summary": row.summary,
        "operationId": f"{row.handler.__module__.rpartition('.')[2]}_{row.handler.__name__}",
        "parameters": path_parameters + _parameters(row.takes),
        "responses": {SUCCESS.get(row.takes, "200" if row.gives else "204"): _answer(row.gives)} | _problems(),
    }
    if row.takes not in {"", "Query"}:
        kind = BODY_TYPES.get(row.takes, "application/json")
        described["requestBody"] = {"required": True, "content": {kind: {"schema": _ref(row.takes)}}}
    if Standing.ANYONE not in MAY[row.action]:
        described["security"] = [{"token": []}]
    return described


def _parameters(takes: str) -> list[Schema]:
    if takes == "Upload":
        return [{"name": "Idempotency-Key", "in": "header", "schema": TEXT}]
    if takes == "Patch":
        return [{"name": "If-Match", "in": "header", "schema": TEXT}]
    return (
        [{"name": name, "in": "query", "schema": schema} for name, schema in QUERY.items()] if takes == "Query" else []
    )


def _answer(gives: str) -> Schema:
    if not gives:
        return {"description": "Done."}
    if "/" in gives:
        return {"description": "As asked.", "content": {gives: {"schema": {}}}}
    kind = "application/geo+json" if gives == "Features" else "application/json"
    return {"description": "As asked.", "content": {kind: {"schema": _ref(gives)}}}


def _problems() -> dict[str, Schema]:
    """Every refusal there is, by status; which of them an operation can meet, the codes tell."""
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    by_status: dict[str, list[str]] = {}
    for code, status in STATUS.items():
        by_status.setdefault(str(status), []).append(code)
    return {status: {"description": ", ".join(codes), "content": problem} for status, codes in by_status.items()}
