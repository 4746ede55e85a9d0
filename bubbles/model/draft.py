"""What an author sends with a recording: checked once, the same at every edge."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from bubbles.errors import Code, Refused
from bubbles.model.bubble import Visibility
from bubbles.model.licence import Licence
from bubbles.model.place import Place, PlaceRole, Precision, snap
from bubbles.model.texts import clean_handle, clean_language, clean_line, clean_tags
from bubbles.model.times import EARLIEST, parse_rfc3339

FIELDS = (
    "title",
    "latitude",
    "longitude",
    "place_role",
    "precision",
    "language",
    "tags",
    "channel",
    "visibility",
    "keep_recording",
    "recorded_at",
    "licence",
    "consent_version",
)
CLOCK_SKEW = timedelta(days=1)
"""How far a phone's clock may run ahead of ours."""

_CONSENT = re.compile(r"[0-9a-f]{12}|none")
_DEGREES = re.compile(r"[+-]?[0-9]{1,3}(\.[0-9]{1,30})?")
Choice = TypeVar("Choice", bound=StrEnum)


@dataclass(frozen=True)
class TextLimits:
    """Characters and counts, from the settings."""

    title_max: int = 200
    tags_max: int = 10
    tag_max: int = 50


@dataclass(frozen=True)
class Draft:
    """A bubble to be: `place` is already snapped, `channel` None is the author's own.

    Without a `licence` the house's usual one holds; `consent_version` names the terms that a client showed, None: those
    in force.
    """

    title: str = ""
    tags: tuple[str, ...] = ()
    language: str | None = None
    visibility: Visibility = Visibility.PUBLIC
    place: Place | None = None
    channel: str | None = None
    keep_recording: bool = False
    recorded_at: datetime | None = None
    licence: Licence | None = None
    consent_version: str | None = None


def parse(fields: Mapping[str, str], *, limits: TextLimits, now: datetime) -> Draft:
    """A draft from text fields, blank ones counting as absent; tags are separated by commas.

    Raises `bad_request` for unknown names and values, `bad_text` and `bad_place`.
    """
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise Refused(Code.BAD_REQUEST, f"Unknown field: {', '.join(unknown)[:200]}.")
    sent = {name: value for name, value in fields.items() if value.strip()}
    tags = clean_tags(sent.get("tags", "").split(","), count_max=limits.tags_max, length_max=limits.tag_max)
    return Draft(
        title=clean_line(sent.get("title", ""), what="title", length_max=limits.title_max),
        tags=tuple(tags),
        language=clean_language(sent["language"]) if "language" in sent else None,
        visibility=choice(Visibility, sent.get("visibility", "public"), what="visibility"),
        place=_place(sent),
        channel=clean_handle(sent["channel"]) if "channel" in sent else None,
        keep_recording=_truth(sent.get("keep_recording", "false")),
        recorded_at=_recorded_at(sent["recorded_at"], now) if "recorded_at" in sent else None,
        licence=choice(Licence, sent["licence"], what="licence") if "licence" in sent else None,
        consent_version=_consent(sent["consent_version"]) if "consent_version" in sent else None,
    )


def choice(kind: type[Choice], value: Any, *, what: str) -> Choice:
    """One of an enumeration's values; raises `bad_request`, naming them all."""
    try:
        return kind(value)
    except ValueError:
        raise Refused(Code.BAD_REQUEST, f"{what} must be one of {', '.join(kind)}.") from None


def coordinate(text: str, *, what: str) -> float:
    """Degrees written with digits, a sign and a point; raises `bad_place`."""
    if not _DEGREES.fullmatch(text.strip()):
        raise Refused(Code.BAD_PLACE, f"{what} must be a number of degrees.")
    return float(text)


def _place(sent: Mapping[str, str]) -> Place | None:
    role = choice(PlaceRole, sent.get("place_role", "recorded"), what="place_role")
    precision = choice(Precision, sent.get("precision", role.default_precision), what="precision")
    if "latitude" not in sent and "longitude" not in sent:
        return None
    if "latitude" not in sent or "longitude" not in sent:
        raise Refused(Code.BAD_PLACE, "Send both latitude and longitude, or neither.")
    latitude = coordinate(sent["latitude"], what="latitude")
    return snap(latitude, coordinate(sent["longitude"], what="longitude"), precision, role)


def _truth(text: str) -> bool:
    if text.lower() in {"true", "1", "yes", "on"}:
        return True
    if text.lower() in {"false", "0", "no", "off"}:
        return False
    raise Refused(Code.BAD_REQUEST, "keep_recording must be true or false.")


def _consent(text: str) -> str:
    if not _CONSENT.fullmatch(text):
        raise Refused(Code.BAD_REQUEST, "consent_version must be 12 hex digits, or none.")
    return text


def _recorded_at(text: str, now: datetime) -> datetime:
    moment = parse_rfc3339(text, what="recorded_at")
    if not EARLIEST <= moment <= now + CLOCK_SKEW:
        raise Refused(Code.BAD_REQUEST, "recorded_at lies in the future, or before 1970.")
    return moment
