"""What the forms of the studio hold, as the verbs take it, and back."""

import re
from collections.abc import Mapping
from typing import Any

from bubbles.errors import Code, Refused
from bubbles.model import draft
from bubbles.model.bubble import Bubble
from bubbles.model.place import Precision

Fields = Mapping[str, str]
VALUES = ("title", "tags", "language", "visibility", "licence", "precision", "role", "latitude", "longitude")
"""The fields of the form about a bubble."""

CUE_FIELD = re.compile(r"text-(0|[1-9][0-9]{0,3})")


def values_of(bubble: Bubble) -> dict[str, str]:
    """The form about a bubble, filled with what is kept; a point is typed only to be changed."""
    place = bubble.place
    return {
        "title": bubble.title,
        "tags": ", ".join(bubble.tags),
        "language": bubble.language or "",
        "visibility": bubble.visibility,
        "licence": bubble.licence,
        "precision": place.precision if place else "",
        "role": place.role if place else "",
        "latitude": "",
        "longitude": "",
    }


def typed(fields: Fields) -> dict[str, str]:
    """The form as it was sent, to be shown again."""
    return {name: fields.get(name, "") for name in VALUES}


def patch_of(fields: Fields, bubble: Bubble) -> dict[str, Any]:
    """The merge-patch that a form stands for; raises `bad_place` for a coordinate that is none."""
    patch: dict[str, Any] = {
        "title": fields.get("title", ""),
        "language": fields.get("language", "").strip() or None,
        "visibility": fields.get("visibility"),
        "licence": fields.get("licence"),
    }
    tags = fields.get("tags", "")
    if tags != values_of(bubble)["tags"]:  # a tag from elsewhere may hold a comma: what nobody touched is not split
        patch["tags"] = tags.split(",")
    return patch | _place(fields, has_place=bubble.place is not None)


def _place(fields: Fields, *, has_place: bool) -> dict[str, Any]:
    """A new point, another precision or role, or no place at all; nothing where there is none and none is meant."""
    chosen = {name: fields[name] for name in ("precision", "role") if fields.get(name, "").strip()}
    point = {name: fields[name] for name in ("latitude", "longitude") if fields.get(name, "").strip()}
    if chosen.get("precision") == Precision.NONE:
        return {"place": None}
    if point:
        return {"place": chosen | {name: draft.coordinate(text, what=name) for name, text in point.items()}}
    return {"place": chosen} if has_place else {}


def version_of(fields: Fields) -> int:
    """The version that a form was made from; raises `bad_request`."""
    text = fields.get("version", "")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise Refused(Code.BAD_REQUEST, "The form lacks its version.")
    return int(text)


def typed_cues(fields: Fields) -> list[dict[str, str | bool]]:
    """The lines of the words' form as they were typed, in the order of the page."""
    numbers = sorted(int(found[1]) for name in fields if (found := CUE_FIELD.fullmatch(name)))
    return [
        {
            "start": fields.get(f"start-{number}", ""),
            "end": fields.get(f"end-{number}", ""),
            "text": fields[f"text-{number}"],
            "unsure": f"unsure-{number}" in fields,
        }
        for number in numbers
    ]


def cues_of(lines: list[dict[str, str | bool]]) -> list[dict[str, Any]]:
    """The cues that the lines stand for, in the order of their times; an empty line is no cue.

    Raises `bad_request` for a time that is no number.
    """
    said = [line for line in lines if str(line["text"]).strip()]
    cues = [
        {"start_s": _seconds(line["start"]), "end_s": _seconds(line["end"]), "text": line["text"]}
        | {"unsure": line["unsure"]}
        for line in said
    ]
    return sorted(cues, key=lambda cue: float(str(cue["start_s"])))


def _seconds(text: object) -> float:
    try:
        return float(str(text).strip().replace(",", "."))
    except ValueError:
        raise Refused(Code.BAD_REQUEST, "A time is a number of seconds.") from None
