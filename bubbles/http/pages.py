"""The pages that are not a bubble's: what is on air, search, a channel, and what went wrong."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from sqlmodel import Session
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from bubbles import find
from bubbles.db import bubbles
from bubbles.errors import Code, Missing, Refused
from bubbles.http import auth, languages, naming, places, present, query, render, told
from bubbles.http.caching import NEVER_STORED, REVALIDATED
from bubbles.http.languages import Texts
from bubbles.http.sheet import length
from bubbles.model.times import parse_rfc3339

PER_PAGE = 20
RADII_M = (200, 1_000, 5_000, 20_000, 100_000)
ASKED = {*query.READERS, "tag"}
FORM_FIELDS = ("q", "near", "radius_m")


def home(request: Request) -> Response:
    """On air: the newest listed bubbles."""
    found, after = _found(request, QueryParams())
    bubbles_told = [each["told"] for each in found]
    more = f"/search?{urlencode({'cursor': after})}" if after else None
    return render.page(request, "home.html", bubbles=bubbles_told, more=more)


def on_air(request: Request) -> Response:
    """The bubbles newer than `after`, newest first, as cards: for a page that stays open. Nothing, where none is."""
    after = request.query_params.get("after", "")
    with auth.house(request).database.query() as session:
        newest = bubbles.newest_code(session)
    found, _ = ([], None) if newest in {None, after} else _found(request, QueryParams())
    codes = [each["told"]["code"] for each in found]
    newer = found[: codes.index(after)] if after in codes else found
    return render.page(request, "on_air.html", bubbles=[each["told"] for each in newer])


def search(request: Request) -> Response:
    """What a query finds, with the sentence said; a query that does not parse is told on the page."""
    params, t = query.asked(request.query_params, ASKED), languages.texts(request)
    context: dict[str, Any] = {"values": _form(params, t), "filters": _filters(params, t), "robots": "noindex"}
    context |= {"results": [], "more": None, "problem": None, "around": None}
    status, headers = 200, {}
    try:
        placed, context["around"] = _placed(request, params)
        context["results"], after = _found(request, placed)
        context["more"] = _search_url([*query.without(params, "cursor"), ("cursor", after)]) if after else None
    except Missing:
        status, context["problem"] = 503, t("search.no_places")
    except Refused as refused:
        status, headers = refused.status, told.retry_headers(refused)
        context["problem"] = t(f"errors.{refused.text}")
        if refused.code == Code.BAD_PLACE and _is_name(params.get("near", "")):
            context["problem"] = t("search.unknown_place", name=params["near"])
    cache = REVALIDATED if status == 200 else NEVER_STORED
    return render.page(request, "search.html", status=status, cache=cache, headers=headers, **context)


def _placed(request: Request, params: QueryParams) -> tuple[QueryParams, str | None]:
    """The query with a point where a person wrote a town's name, and that town. Raises `bad_place` for none of ours."""
    near = params.get("near", "")
    if not _is_name(near):
        return params, None
    language = languages.of(request)
    with auth.house(request).database.query() as session:
        town = places.point(session, near, language=language)
    if town is None:
        raise Refused(Code.BAD_PLACE, "There is no such town.")
    point = ("near", f"{town.latitude},{town.longitude}")
    label = naming.label(town.name, town.region, town.country, language)
    return QueryParams([*query.without(params, "near"), point]), label


def _is_name(near: str) -> bool:
    """Whether it was meant as a name: degrees hold no letters."""
    return any(letter.isalpha() for letter in near)


def _found(request: Request, params: QueryParams) -> tuple[list[dict[str, Any]], str | None]:
    house = auth.house(request)
    with house.database.query() as session:
        page = find.find(session, query.parse(params))
    url = house.settings.public_url
    return [present.result(each, url) for each in page.items], page.next


def _form(params: QueryParams, t: Texts) -> dict[str, Any]:
    """The values that the search form keeps."""
    radius_m = params.get("radius_m", "")
    radii = [("", t("search.any_distance")), *((str(radius), length(radius, t)) for radius in RADII_M)]
    if radius_m not in dict(radii):
        radii.append((radius_m, t("place.metres", length=radius_m)))
    return {
        "q": params.get("q", ""),
        "near": params.get("near", ""),
        "radius_m": radius_m,
        "radii": radii,
        "kept": query.without(params, *FORM_FIELDS, "cursor"),
    }


def _filters(params: QueryParams, t: Texts) -> list[dict[str, str]]:
    """What narrows the search beside the form, each with the address of the search without it."""
    narrowing = query.without(params, *FORM_FIELDS, "cursor")
    pairs = query.without(params, "cursor")
    return [
        {
            "label": t(f"search.filter_{key}", value=value),
            "without": _search_url(pair for pair in pairs if pair != (key, value)),
        }
        for key, value in narrowing
    ]


def _search_url(pairs: Iterable[tuple[str, str]]) -> str:
    return f"/search?{urlencode(list(pairs))}"


def profile(request: Request) -> Response:
    """A channel and its newest bubbles: the listed ones, or for its team all, with their state and its reason."""
    house = auth.house(request)
    before = request.query_params.get("before")
    with house.database.query() as session:
        channel, _, role = auth.channel(request, session, request.path_params["handle"])
        rows = bubbles.of_channel(
            session,
            channel.id or 0,
            all_states=role is not None,
            limit=PER_PAGE + 1,
            before=parse_rfc3339(before, what="before") if before else None,
        )
        shown = _told(session, rows[:PER_PAGE], house.settings.public_url, for_team=role is not None)
    return render.page(
        request,
        "profile.html",
        cache=REVALIDATED if role is None else NEVER_STORED,
        headers={"Vary": "Authorization"},
        channel=present.channel(channel, house.settings.public_url),
        bubbles=shown,
        for_team=role is not None,
        more=_older(request, rows[PER_PAGE - 1].created_at) if len(rows) > PER_PAGE else None,
    )


def _told(session: Session, rows: list[Any], base_url: str, *, for_team: bool) -> list[present.Json]:
    return [present.bubble(whole, base_url, for_team=for_team) for whole in bubbles.whole(session, rows)]


def _older(request: Request, before: datetime) -> str:
    return f"{request.url.path}?{urlencode({'before': before.isoformat()})}"


def error(request: Request, text: str, *, status: int, retry_after_s: int | None = None) -> Response:
    """What went wrong, for who browses, in their language, by the key of its text; a program is told in detail."""
    t = languages.texts(request)
    return render.page(
        request,
        "error.html",
        status=status,
        cache=NEVER_STORED,
        headers={"Retry-After": str(retry_after_s)} if retry_after_s is not None else {},
        heading=t(f"errors.{text}_title"),
        detail=t(f"errors.{text}"),
        robots="noindex",
    )
