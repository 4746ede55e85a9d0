"""GET /api/places: towns by their name, without asking anyone else; and a name in place of a point."""

from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bubbles.db import towns
from bubbles.db.towns import Called
from bubbles.errors import Code, Refused
from bubbles.http import auth, languages, naming, query, render
from bubbles.http.caching import PUBLIC
from bubbles.http.schemas import NAME_MAX, TOWNS_MAX
from bubbles.model.place import require_coordinates
from bubbles.model.texts import clean_line

LIMIT_DEFAULT = 8
REGION_LETTERS = 2
SURE_SIMILARITY = 0.55
"""A name that is to stand for a point without a second look is no less like the town's own."""


def index(request: Request) -> Response:
    """Towns that are called so, best match first, in the asker's language."""
    asked, language = _asked(request), languages.of(request)
    with auth.house(request).database.query() as session:
        towns.require(session)
        found = called(session, language=language, **asked)
    headers = PUBLIC | {"Vary": "Accept-Language, Cookie"}
    return render.revalidated(
        request, JSONResponse({"items": [told(each, language) for each in found]}, headers=headers)
    )


def _asked(request: Request) -> dict[str, Any]:
    params = request.query_params
    if unknown := sorted(set(params) - {"q", "limit", "near"}):
        names = ", ".join(name[:50] for name in unknown[:5])
        raise Refused(Code.BAD_REQUEST, f"Unknown in the query: {names}. Known are limit, near, q.")
    if not (name := clean_line(params.get("q", ""), what="name", length_max=NAME_MAX)):
        raise Refused(Code.BAD_REQUEST, "Ask for a name, or how it begins, in q.")
    near = params.get("near")
    limit = query.whole_number(params.get("limit") or str(LIMIT_DEFAULT), what="limit", most=TOWNS_MAX)
    point = query.point(near) if near else None
    if point:
        require_coordinates(*point)
    return {"name": name, "near": point, "limit": limit}


def called(session: Session, name: str, *, language: str, **more: Any) -> list[Called]:
    """Towns by name; what follows a comma keeps to a country or a state: `Paris, TX`, `Lyon, Fr`."""
    town, _, rest = name.rpartition(",")
    within = _within(rest.strip(), language) if town.strip() else {}
    found = towns.called(session, town.strip(), **within, **more) if within else []
    return found or towns.called(session, name, **more)


def _within(rest: str, language: str) -> dict[str, Any]:
    """The condition that the part after the comma makes; none when it means nothing to us."""
    if not rest:
        return {}
    countries = naming.countries(rest, language)
    region = rest.upper() if len(rest) == REGION_LETTERS else None
    return {"countries": countries, "region": region} if countries or region else {}


def point(session: Session, name: str, *, language: str) -> Called | None:
    """The one town that a name surely means; None when there is none such. Raises `Missing("places")`."""
    towns.require(session)
    cleaned = clean_line(name, what="name", length_max=NAME_MAX)
    found = called(session, cleaned, language=language, limit=1, similarity_min=SURE_SIMILARITY)
    return found[0] if found else None


def told(town: Called, language: str) -> dict[str, Any]:
    """A town as it leaves the house."""
    told: dict[str, Any] = {
        "name": town.name,
        "region": town.region,
        "country": town.country,
        "label": naming.label(town.name, town.region, town.country, language),
        "latitude": town.latitude,
        "longitude": town.longitude,
        "population": town.population or None,
    }
    return told if town.distance_m is None else told | {"distance_m": round(town.distance_m)}
