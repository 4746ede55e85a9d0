"""Pages: the Jinja2 environment, the names of the built assets, and the headers that every page carries."""

import hashlib
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bubbles.http import auth, handover, languages, onward, preferences, ranges, sharing, sheet, shown
from bubbles.http.assets import Assets
from bubbles.http.caching import NEVER_STORED, NO_STORE, REVALIDATED

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    # An unlisted bubble's address and a sign-in link are secrets. `no-referrer` would make a form's Origin null.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    cache: str = REVALIDATED,
    headers: dict[str, str] | None = None,
    reads_cookies: bool = True,
    **context: Any,
) -> Response:
    """A page from a template; 304 when the browser has the very same one.

    Without `reads_cookies` the page is the same for everyone who asks in the same language. Raises
    Missing("pages", ...) where the pages are not built.
    """
    settings = auth.house(request).settings
    shared = shared_context(request, reads_cookies=reads_cookies) | {"status": status}
    html = environment(settings.pages_dir).get_template(template).render(shared | context)
    all_headers = HEADERS | {"Cache-Control": cache, "Content-Language": shared["t"].language} | (headers or {})
    _let_sound_in(all_headers, handover.origins(settings, auth.house(request).blobs))
    response = HTMLResponse(html, status_code=status, headers=all_headers)
    varies = ("Accept-Language", "Cookie" if reads_cookies else "", (headers or {}).get("Vary"))
    response.headers["Vary"] = ", ".join(filter(None, varies))
    return revalidated(request, response) if status == 200 else response


def _let_sound_in(headers: dict[str, str], origin: str) -> None:
    """Has a page's policy allow sound from where it is led to, too."""
    if origin:
        policy = headers["Content-Security-Policy"]
        headers["Content-Security-Policy"] = policy.replace("media-src 'self'", f"media-src 'self' {origin}")


def fragment(request: Request, template: str, **context: Any) -> Response:
    """A piece of a page, for the person who asks alone."""
    made = environment(auth.house(request).settings.pages_dir).get_template(template)
    return HTMLResponse(made.render(shared_context(request) | context), headers=HEADERS | NO_STORE)


def shared_context(request: Request, *, reads_cookies: bool = True) -> dict[str, Any]:
    """What every template knows. `speaks` are the groups of texts that the page's scripts need."""
    return {
        "base_url": auth.house(request).settings.public_url,
        "path": request.url.path,
        "back": onward.here(request),
        "robots": "index",
        "t": languages.texts(request, "" if reads_cookies else languages.asked(request)),
        "languages": languages.LANGUAGES,
        "theme": preferences.theme(request) if reads_cookies else "",
    }


def revalidated(request: Request, response: Response) -> Response:
    """The response with an ETag of its bytes, or 304 without them when `If-None-Match` names it.

    What is never stored is passed on as it is.
    """
    if response.headers.get("Cache-Control") == NEVER_STORED:
        return response
    etag = etag_of(bytes(response.body))
    response.headers["ETag"] = etag
    if not has(request, etag):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in {"content-length", "content-type"}}
    return Response(status_code=304, headers=kept)


def etag_of(body: bytes) -> str:
    """The ETag of bytes; weak, since a proxy may compress them."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'


def has(request: Request, etag: str) -> bool:
    """Whether the client says that it has what bears this weak ETag, or anything."""
    return ranges.lists(request.headers.get("if-none-match"), etag.removeprefix("W/"), weak=True)


@lru_cache(maxsize=8)
def environment(pages_dir: Path) -> Environment:
    """The templates of `pages_dir/pages`, everything escaped, and an error for a name that is not there."""
    made = Environment(
        loader=FileSystemLoader(pages_dir / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    assets = Assets.of(pages_dir)
    made.globals |= {"asset": assets.url, "imports": assets.imports}
    made.globals |= {"sheet": sheet.drawn, "ways": sharing.ways, "frame": sharing.frame}
    made.globals |= {"languages_spoken": shown.languages_spoken}
    made.filters |= {
        "calendar_day": in_language(shown.calendar_day),
        "clock": shown.clock,
        "day": in_language(shown.day),
        "embedded_json": embedded_json,
        "iso_duration": shown.iso_duration,
        "language": in_language(shown.language),
        "length_m": in_language(sheet.length),
        "local": shown.local,
        "marked": shown.marked,
        "name": in_language(shown.name),
        "seconds": shown.seconds,
        "where": in_language(sheet.where),
        "waveform": shown.waveform,
    }
    return made


def in_language(shown_as: Callable[[Any, languages.Texts], str]) -> Callable[..., str]:
    """A filter that shows a value in the language of the page."""

    @pass_context
    def filtered(context: Context, value: Any) -> str:
        return shown_as(value, context["t"])

    return filtered


def embedded_json(value: Any) -> Markup:
    """JSON that can stand in a script element: nothing in it ends the element or a line."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704 - no character that HTML knows is left
