"""The page of one bubble, which its link opens, and its words as files."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.db import bubbles
from bubbles.db.bubbles import Whole
from bubbles.errors import Code, Refused
from bubbles.http import auth, caching, languages, present, render, shown
from bubbles.http.languages import Texts
from bubbles.http.sharing import qr_code
from bubbles.http.sheet import name as place_name
from bubbles.model.bubble import Bubble, Visibility
from bubbles.model.channel import Role
from bubbles.model.licence import Licence
from bubbles.model.step import SPOILED, StepName
from bubbles.model.transcript import TranscriptState
from bubbles.speech import vtt

DESCRIPTION_MAX = 200
WAITED_FOR = {"model", "store", SPOILED}
"""What words may wait for, each with its text."""

FORMATS = {
    "vtt": ("text/vtt", vtt.to_vtt),
    "srt": ("application/x-subrip", vtt.to_srt),
    "txt": ("text/plain", vtt.to_txt),
}
FILE_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox"}


def page(request: Request) -> Response:
    """The share page, the same for everyone while the bubble is public."""
    bubble, role, whole = _loaded(request)
    for_team = role is not None and not bubble.is_public
    told = present.bubble(whole, auth.house(request).settings.public_url, for_team=for_team)
    sure = whole.transcript.sure_text if whole.transcript else ""
    t = languages.texts(request)
    return render.page(
        request,
        "share.html",
        cache=caching.of(bubble),
        told=told,
        description=_description(told, sure, t),
        linked_data=linked_data(told, sure, t),
        licence=Licence(bubble.licence),
        waiting=_waiting(told["transcript"]),
        held_up=_held_up(whole),
        robots="index" if bubble.is_public else "noindex",
    )


def transcript(request: Request) -> Response:
    """The words as WebVTT, SubRip, plain text or JSON; the files are `not_found` until there are words or none."""
    bubble, _, whole = _loaded(request)
    headers = FILE_HEADERS | {"Cache-Control": caching.of(bubble)}
    if bubble.visibility == Visibility.PUBLIC:
        headers["Access-Control-Allow-Origin"] = "*"
    response = _file(request.path_params["format"], whole, headers)
    return render.revalidated(request, response)


def panel(request: Request) -> Response:
    """The ways to pass a bubble on, as a piece of a page: what the recorder shows once it is published."""
    _, _, whole = _loaded(request)
    told = present.bubble(whole, auth.house(request).settings.public_url)
    return render.fragment(request, "share_panel.html", told=told)


def qr(request: Request) -> Response:
    """The share link as a QR code."""
    bubble, _, _ = _loaded(request)
    code = qr_code(f"{auth.house(request).settings.public_url}/b/{bubble.code}")
    headers = FILE_HEADERS | {"Cache-Control": caching.of(bubble)}
    response = Response(code, media_type="image/svg+xml", headers=headers)
    return render.revalidated(request, response)


def _file(extension: str, whole: Whole, headers: dict[str, str]) -> Response:
    if extension == "json":
        return JSONResponse(present.transcript(whole), headers=headers)
    if extension not in FORMATS:
        raise Refused(Code.NOT_FOUND, "The words come as .vtt, .srt, .txt and .json.")
    if whole.transcript is None:
        raise Refused(Code.NOT_FOUND, "The words of this bubble are not there yet.")
    media_type, written = FORMATS[extension]
    text = written(whole.transcript.spoken)
    return Response(text.encode(), headers=headers | {"Content-Type": f"{media_type}; charset=utf-8"})


def _loaded(request: Request) -> tuple[Bubble, Role | None, Whole]:
    with auth.house(request).database.transaction() as session:
        bubble, _, role = auth.bubble(request, session)
        (whole,) = bubbles.whole(session, [bubble])
    return bubble, role, whole


def _waiting(words: present.Json) -> str:
    """The key of the text that tells why there are no words yet."""
    missing = words["waiting_for"]
    if words["state"] == TranscriptState.RUNNING and not missing:
        return "share.running"
    return f"share.waiting_{missing}" if missing in WAITED_FOR else "share.waiting"


def _held_up(whole: Whole) -> str:
    """The key of the text that tells why the sound is not made playable at once; empty when nothing is wrong."""
    making = whole.steps.get(StepName.NORMALISE)
    missing = making.waiting_for if making else None
    if missing is None:
        return ""
    return "share.held_up_spoiled" if missing == SPOILED else "share.held_up"


def _description(told: present.Json, sure_text: str, t: Texts) -> str:
    """A sentence or two for previews: what is surely said, else what the bubble is."""
    if not sure_text:
        length, channel = shown.clock(told["duration_s"]), told["channel"]["title"]
        return t("share.description", length=length, channel=channel)
    return sure_text if len(sure_text) <= DESCRIPTION_MAX else sure_text[:DESCRIPTION_MAX].rsplit(" ", 1)[0] + " …"


def linked_data(told: present.Json, sure_text: str, t: Texts) -> dict[str, Any]:
    """The bubble as a schema.org AudioObject; only the words that were heard surely are in it."""
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "AudioObject",
        "name": shown.name(told, t),
        "url": told["url"],
        "duration": shown.iso_duration(told["duration_s"]),
        "uploadDate": told["published_at"] or told["created_at"],
        "publisher": {"@type": "Organization", "name": told["channel"]["title"], "url": told["channel"]["url"]},
    }
    optional = {
        "inLanguage": told["transcript"]["language"] or told["language"],
        "keywords": told["tags"],
        "transcript": sure_text,
        "contentLocation": _location(told["place"], t),
        "license": Licence(told["licence"]).url,
    }
    for rendition in told["renditions"][:1]:
        data |= {"contentUrl": rendition["url"], "encodingFormat": rendition["type"]}
    return data | {name: value for name, value in optional.items() if value}


def _location(place: present.Json | None, t: Texts) -> dict[str, Any] | None:
    """The place as it is told, as blurred as it is kept."""
    if place is None:
        return None
    point = {"@type": "GeoCoordinates", "latitude": place["latitude"], "longitude": place["longitude"]}
    named = {"@type": "Place", "name": place_name(place, t)}
    if not place["radius_m"]:
        return named | {"geo": point}
    return named | {"geo": {"@type": "GeoCircle", "geoMidpoint": point, "geoRadius": place["radius_m"]}}
