"""The shapes of what is sent and answered, as OpenAPI's schemas, by the names that the URL table uses."""

from typing import Any

from bubbles import ids, listen
from bubbles.db.heard import CROWD_FIGURES, FIGURES
from bubbles.errors import Code
from bubbles.http.query import VIEW_FIELDS
from bubbles.model.bubble import State, Visibility
from bubbles.model.channel import Role
from bubbles.model.licence import Licence
from bubbles.model.map_grid import ZOOM_MAX
from bubbles.model.place import PlaceRole, Precision
from bubbles.model.query import LIMIT_MAX, TEXT_MAX, Sort
from bubbles.model.transcript import TranscriptState
from bubbles.stats import FEW

NAME_MAX = 100
"""Characters of a town's name that is asked for."""
TOWNS_MAX = 20
Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
TIME: Schema = {"type": "string", "format": "date-time"}
CODE: Schema = {"type": "string", "pattern": f"^{ids.CODE_PATTERN.pattern}$"}
HANDLE: Schema = {"type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9_-]{0,28}[A-Za-z0-9])?$"}
LANGUAGE: Schema = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,4}$", "description": "BCP 47"}


def record(required: str = "", **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def closed(required: str = "", **properties: Schema) -> Schema:
    """An object that may have no other property."""
    return record(required, **properties) | {"additionalProperties": False}


def one_of(values: Any) -> Schema:
    return {"type": "string", "enum": [str(value) for value in values]}


def or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def named(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


CUE = closed("start_s end_s text", start_s=NUMBER, end_s=NUMBER, text=TEXT, unsure={"type": "boolean"})
PLACE_FIELDS: dict[str, Schema] = {
    "latitude": {"type": "number", "minimum": -90, "maximum": 90},
    "longitude": {"type": "number", "minimum": -180, "maximum": 180},
    "precision": one_of(Precision),
    "role": one_of(PlaceRole),
}
NAMED: dict[str, Schema] = {
    "name": or_null(TEXT),
    "town": or_null(record("name region country is_near", is_near={"type": "boolean"})),
}
TEXT_FIELDS: dict[str, Schema] = {
    "title": {"type": "string", "maxLength": 200},
    "language": LANGUAGE,
    "visibility": one_of(Visibility),
    "licence": one_of(Licence),
}
CONSENT: Schema = {"type": "string", "pattern": "^([0-9a-f]{12}|none)$"}
COUNT: Schema = {"anyOf": [NUMBER, {"const": FEW}]}
COUNTS = dict.fromkeys(FIGURES, COUNT)
TEAM_ONLY: dict[str, Schema] = {
    "version": {"type": "integer", "description": "For the team only, as the next six."},
    "keep_recording": {"type": "boolean"},
    "consent_version": CONSENT,
    "failed_reason": or_null(TEXT),
    "held_reason": or_null(TEXT),
    "refused_reason": or_null(TEXT),
    "withdrawn_reason": or_null(TEXT),
}
STANDING: dict[str, Schema] = {"position": NUMBER, "eta_s": or_null(NUMBER)}
TOWN = record(
    "name region country label latitude longitude population",
    name=TEXT,
    region=or_null(TEXT),
    country={"type": "string", "description": "ISO 3166"},
    label=TEXT,
    latitude=NUMBER,
    longitude=NUMBER,
    population=or_null(NUMBER),
    distance_m=NUMBER,
)
MEMBER = record("handle role since", handle=HANDLE, role=one_of(Role), since=TIME)
SCHEMAS: dict[str, Schema] = {
    "Form": {"type": "object", "additionalProperties": TEXT, "description": "The fields of a page's form."},
    "Challenge": {"type": "object", "description": "What `navigator.credentials` takes as `publicKey` (WebAuthn)."},
    "Credential": closed(
        "credential",
        credential={"type": "object", "description": "What `navigator.credentials` gave (WebAuthn), in JSON."},
        handle=TEXT,
        next={"type": "string", "description": "Where to go on to: a path of ours."},
        name={"type": "string", "description": "What to call a new passkey."},
    ),
    "Next": record("next", next=TEXT),
    "Upload": record(
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
        consent_version=CONSENT,
    ),
    "Patch": closed(
        "",
        title=or_null(TEXT_FIELDS["title"]),
        language=or_null(LANGUAGE),
        visibility=TEXT_FIELDS["visibility"],
        licence=TEXT_FIELDS["licence"],
        tags=or_null(list_of(TEXT)),
        place=or_null(closed("", **PLACE_FIELDS)),
    ),
    "Correction": closed("cues", language=or_null(LANGUAGE), cues=list_of(CUE)),
    "Transcript": record(
        "state language text cues",
        state=one_of(TranscriptState),
        waiting_for=or_null(TEXT),
        failed_reason=or_null(TEXT),
        language=or_null(TEXT),
        language_doubtful={"type": "boolean"},
        corrected={"type": "boolean"},
        text=TEXT,
        cues=list_of(CUE),
    ),
    "Bubble": record(
        "code state url title tags visibility licence channel place duration_s renditions transcript",
        code=CODE,
        state=one_of(State),
        url={"type": "string", "format": "uri"},
        title=TEXT,
        tags=list_of(TEXT),
        language=or_null(TEXT),
        visibility=one_of(Visibility),
        licence=one_of(Licence),
        channel=record("handle title url", handle=TEXT, title=TEXT, url=TEXT),
        place=or_null(
            record("latitude longitude radius_m precision role name town", radius_m=NUMBER, **NAMED, **PLACE_FIELDS)
        ),
        duration_s=NUMBER,
        recorded_at=TIME,
        created_at=TIME,
        published_at=or_null(TIME),
        peaks=list_of({"type": "integer", "minimum": 0, "maximum": 255}),
        renditions=list_of(record("kind type url length_bytes", kind=TEXT, type=TEXT, url=TEXT, length_bytes=NUMBER)),
        transcript=named("Transcript"),
        queue=or_null(record("step position eta_s waiting_for", step=TEXT, waiting_for=or_null(TEXT), **STANDING)),
        match=record("start_s snippet", start_s=NUMBER, snippet=TEXT),
        distance_m=NUMBER,
        **TEAM_ONLY,
    ),
    "Page": record("items next", items=list_of(named("Bubble")), next=or_null(TEXT)),
    "Features": record("type features", type=TEXT, features=list_of({"type": "object"}), next=or_null(TEXT)),
    "Places": record("items", items=list_of(TOWN)),
    "Map": record(
        "type count capped features",
        type=TEXT,
        count={"type": "integer", "minimum": 0},
        capped={"type": "boolean", "description": "There are older ones that are not counted."},
        features=list_of({"type": "object"}),
    ),
    "Heard": record(
        "code play heard",
        code=CODE,
        play={"type": "string", "pattern": "^[A-Za-z0-9_-]{8,64}$"},
        heard={"type": "array", "maxItems": listen.PARTS_MAX, "items": list_of(NUMBER)},
    ),
    "Stats": record(
        f"{' '.join(FIGURES)} team bots crowd method as_of",
        **COUNTS,
        team=record(" ".join(FIGURES), **COUNTS),
        bots=record(" ".join(FIGURES), **COUNTS),
        crowd=record(" ".join(CROWD_FIGURES), **dict.fromkeys(CROWD_FIGURES, COUNT)),
        method={"type": "object", "additionalProperties": TEXT},
        as_of=TIME,
        code=CODE,
        channel=HANDLE,
        bubbles_left_out={"type": "integer", "minimum": 0},
    ),
    "Me": record(
        "handle channels",
        handle=or_null(HANDLE),
        channels=list_of(record("handle title url role", handle=HANDLE, title=TEXT, url=TEXT, role=one_of(Role))),
    ),
    "Role": closed("role", role=one_of(Role)),
    "Member": MEMBER,
    "Members": record("items", items=list_of(MEMBER)),
    "Problem": record("title status code", title=TEXT, status=NUMBER, code=one_of(Code), detail=TEXT),
}
QUERY: dict[str, Schema] = {
    "q": {"type": "string", "maxLength": TEXT_MAX},
    "near": {"type": "string", "description": "latitude,longitude"},
    "radius_m": NUMBER,
    "bbox": {"type": "string", "description": "west,south,east,north"},
    "channel": HANDLE,
    "language": LANGUAGE,
    "tag": list_of(TEXT),
    "since": TIME,
    "until": TIME,
    "sort": one_of(Sort),
    "limit": {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX},
    "cursor": TEXT,
}
ZOOM: Schema = {"type": "number", "minimum": 0, "maximum": ZOOM_MAX}
VIEW = {name: QUERY[name] for name in VIEW_FIELDS} | {"zoom": ZOOM}
NAME: dict[str, Schema] = {
    "q": {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
    "limit": {"type": "integer", "minimum": 1, "maximum": TOWNS_MAX},
    "near": QUERY["near"],
}
PARAMETERS = {"Query": QUERY, "View": VIEW, "Name": NAME}
"""What is asked in the query string."""
