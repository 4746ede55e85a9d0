"""GET /b/{code}/embed: the player for other people's pages. It keeps nothing and knows nobody: no cookie is read."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bubbles.db import bubbles
from bubbles.db.bubbles import Whole
from bubbles.errors import Refused
from bubbles.http import auth, caching, present, render
from bubbles.http.caching import NEVER_STORED
from bubbles.http.preferences import THEMES
from bubbles.policy import not_found

HEADERS = {
    "Content-Security-Policy": render.CONTENT_SECURITY_POLICY.replace("frame-ancestors 'self'", "frame-ancestors *")
}


def page(request: Request) -> Response:
    """The player, for public and unlisted bubbles that can be played; else a page that says so, one for all others."""
    wanted = request.query_params.get("theme", "")
    shown: dict[str, Any] = {"theme": wanted if wanted in THEMES else "", "robots": "noindex", "told": None}
    try:
        whole = playable(request, request.path_params["code"])
        shown["told"] = present.bubble(whole, auth.house(request).settings.public_url)
        shown["cache"] = caching.of(whole.bubble)
    except Refused as refused:
        shown |= {"status": refused.status, "cache": NEVER_STORED}
    return render.page(request, "embed.html", headers=HEADERS, reads_cookies=False, **shown)


def playable(request: Request, code: str) -> Whole:
    """A bubble that anyone with the link can hear; raises `not_found` for every other."""
    with auth.house(request).database.transaction() as session:
        bubble = auth.bubble_for_anyone(request, session, code)
        (whole,) = bubbles.whole(session, [bubble])
    if bubble.playable_at is None:
        raise not_found()
    return whole
