"""GET /oembed: how other sites learn to show a bubble, by oEmbed 1.0 (https://oembed.com)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.config import Settings
from bubbles.http import auth, caching, languages, present, shown
from bubbles.http.caching import NEVER_STORED
from bubbles.http.embed import playable
from bubbles.http.languages import Texts
from bubbles.http.render import revalidated
from bubbles.http.sharing import FRAME_HEIGHT, frame
from bubbles.policy import not_found

WIDTH = 480
"""Pixels, where nobody asks for less."""

WIDTH_MIN, HEIGHT_MIN = 200, 120
NOT_IMPLEMENTED = 501


def describe(request: Request) -> Response:
    """The bubble of `url` as `format` json or xml; 404 for what is not ours to play, 501 for another format."""
    asked, t = request.query_params, languages.texts(request, languages.asked(request))
    form = asked.get("format", "json")
    if form not in WRITTEN:
        return Response("json, xml", NOT_IMPLEMENTED, media_type="text/plain", headers={"Cache-Control": NEVER_STORED})
    whole = playable(request, _code(asked.get("url", ""), auth.house(request).settings))
    told = present.bubble(whole, auth.house(request).settings.public_url)
    size = _at_most(asked.get("maxwidth"), WIDTH, WIDTH_MIN), _at_most(asked.get("maxheight"), FRAME_HEIGHT, HEIGHT_MIN)
    response = WRITTEN[form](rich(told, size, t))
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Vary"] = "Accept-Language"
    response.headers["Cache-Control"] = caching.of(whole.bubble)
    return revalidated(request, response)


def rich(told: present.Json, size: tuple[int, int], t: Texts) -> dict[str, Any]:
    """What oEmbed calls a rich response."""
    name, (width, height) = shown.name(told, t), size
    return {
        "version": "1.0",
        "type": "rich",
        "title": name,
        "author_name": told["channel"]["title"],
        "author_url": told["channel"]["url"],
        "provider_name": "Bubbles",
        "provider_url": told["url"].partition("/b/")[0] + "/",
        "html": str(frame(told, t, width=width, height=height)),
        "width": width,
        "height": height,
    }


def _code(url: str, settings: Settings) -> str:
    """The code in an address of ours, with or without `/embed` and a start; raises `not_found` for any other."""
    ours, path = urlsplit(settings.public_url), ""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise not_found() from None
    if (parts.scheme, parts.netloc) == (ours.scheme, ours.netloc):
        path = parts.path.removeprefix(f"{ours.path}/b/") if parts.path.startswith(f"{ours.path}/b/") else ""
    return path.removesuffix("/embed")


def _at_most(asked: str | None, usual: int, least: int) -> int:
    """The usual size, or less where less is asked; what is no number asks nothing."""
    if asked is None or not (asked.isascii() and asked.isdigit() and len(asked) < len(str(10**6))):
        return usual
    return max(min(int(asked), usual), least)


def _xml(told: dict[str, Any]) -> Response:
    root = ElementTree.Element("oembed")
    for name, value in told.items():
        ElementTree.SubElement(root, name).text = str(value)
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return Response(text, media_type="text/xml; charset=utf-8")


WRITTEN: dict[str, Callable[[dict[str, Any]], Response]] = {"json": JSONResponse, "xml": _xml}
