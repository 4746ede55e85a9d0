"""The map and the walk as pages: their lists are written here, so that both work where no map can be drawn."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from bubbles import find
from bubbles.db import bubbles
from bubbles.errors import Refused
from bubbles.http import auth, basemap, languages, present, query, render, told
from bubbles.http.caching import NEVER_STORED, REVALIDATED
from bubbles.model.times import rfc3339

PERIODS = {
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=31),
    "year": timedelta(days=366),
}
ASKED = {*query.VIEW_FIELDS, "period", "cursor"}
WORLD = "-180,-90,180,90"
"""Whatever has a place."""

ASKS_POSITION = {"Permissions-Policy": "camera=(), geolocation=(self), microphone=(), payment=(), usb=()"}


@dataclass(frozen=True)
class Seen:
    """What a list of the map shows: the bubbles, the address of those after them, or why there are none."""

    results: list[dict[str, Any]] = field(default_factory=list)
    more: str | None = None
    problem: str | None = None
    status: int = 200
    retry: dict[str, str] = field(default_factory=dict)


def page(request: Request) -> Response:
    """The map: first the list of what lies in its view, then, where the browser can, the map itself."""
    params = query.asked(request.query_params, ASKED)
    seen = _seen(request, params)
    t, settings = languages.texts(request), auth.house(request).settings
    return _answered(
        request,
        "map.html",
        seen,
        headers=ASKS_POSITION | basemap.headers(settings),
        map_styles=basemap.styles(settings, language=t.language),
        values=_values(params),
        kept=query.without(params, "q", "language", "tag", "period", "cursor"),
        periods=[(name, t(f"map.period_{name}")) for name in PERIODS],
        robots="noindex" if params else "index",
    )


def listed(request: Request) -> Response:
    """The list alone, for a map that was moved; with `code` the one bubble that was chosen on it."""
    params, code = query.asked(request.query_params, ASKED), request.query_params.get("code")
    seen = _one(request, code) if code else _seen(request, params)
    return _answered(request, "map_list.html", seen, values=_values(params), robots="noindex")


def walk(request: Request) -> Response:
    """The walk: the newest with a place, to be heard where nobody says where they are."""
    return _answered(request, "walk.html", _seen(request, QueryParams()), headers=ASKS_POSITION)


def _answered(
    request: Request, template: str, seen: Seen, headers: dict[str, str] | None = None, **context: Any
) -> Response:
    cache, all_headers = REVALIDATED if seen.status == 200 else NEVER_STORED, (headers or {}) | seen.retry
    return render.page(request, template, status=seen.status, cache=cache, headers=all_headers, seen=seen, **context)


def _seen(request: Request, params: QueryParams) -> Seen:
    """What lies in the view; everywhere on earth, newest first, while no view is given."""
    house = auth.house(request)
    pairs = _timed(
        params, rfc3339(house.now() - PERIODS[params["period"]]) if params.get("period") in PERIODS else None
    )
    try:
        with house.database.query() as session:
            found = find.find(session, query.parse(QueryParams(pairs)))
    except Refused as refused:
        return Seen(problem=refused.text, status=refused.status, retry=told.retry_headers(refused))
    results = [present.result(each, house.settings.public_url) for each in found.items]
    return Seen(results, _more(pairs, found.next) if found.next else None)


def _timed(params: QueryParams, since: str | None) -> list[tuple[str, str]]:
    """The query of `query.parse`: a view at any rate, and a period as the time since which."""
    pairs = query.without(params, "period") + ([("since", since)] if since and "since" not in params else [])
    return pairs if "bbox" in params else [*pairs, ("bbox", WORLD)]


def _more(pairs: list[tuple[str, str]], after: str) -> str:
    return f"/map?{urlencode([*query.without(QueryParams(pairs), 'cursor'), ('cursor', after)])}"


def _one(request: Request, code: str) -> Seen:
    """A bubble that lists may hold; nothing for any other, known or not."""
    house = auth.house(request)
    try:
        with house.database.query() as session:
            bubble = auth.bubble_for_anyone(request, session, code)
            wholes = bubbles.whole(session, [bubble]) if bubble.is_public else []
    except Refused:
        return Seen()
    return Seen([present.result(find.Found(each, None, None), house.settings.public_url) for each in wholes])


def _values(params: QueryParams) -> dict[str, str]:
    """What the form keeps."""
    return {name: params.get(name, "") for name in ("q", "language", "tag", "period", "bbox")}
