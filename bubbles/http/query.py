"""The query string of every list, map and feed, as the question it asks."""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.datastructures import QueryParams

from bubbles.errors import Code, Refused
from bubbles.find import Box, Query, Sort
from bubbles.model.map_grid import Grid, fitting_zoom, grid
from bubbles.model.query import LIMIT_MAX
from bubbles.model.texts import clean_handle, clean_language, clean_tags
from bubbles.model.times import parse_rfc3339

TAGS_MAX = 50
TAG_MAX = 200
"""The most that a setting allows a bubble."""

PAIRS_MAX = 100
"""Fields of an address: all there are, each tag, and what others hang on a link that is shared."""


def parse(params: QueryParams) -> Query:
    """The query; raises `bad_request`, `bad_place` or `bad_text` with what is wrong with which parameter.

    A parameter without a value is one that is not there, as forms send them. Only `tag` may be repeated.
    """
    _require_known(params, READERS)
    given = {name: value for name, value in params.items() if value and name != "tag"}
    read = {FIELDS.get(name, name): READERS[name](value) for name, value in given.items()}
    tags = clean_tags(params.getlist("tag"), count_max=TAGS_MAX, length_max=TAG_MAX)
    return Query(tags=tuple(sorted(tags)), **read)


def parse_view(params: QueryParams) -> tuple[Query, Grid]:
    """The query of a map, and the grid of its view; `bbox` is needed, `zoom` is else as the box fits.

    Raises as `parse` does.
    """
    _require_known(params, [*VIEW_FIELDS, "zoom"])
    query = parse(QueryParams(without(params, "zoom")))
    if query.bbox is None:
        raise Refused(Code.BAD_REQUEST, "A map needs bbox=west,south,east,north in degrees.")
    zoom = params.get("zoom")
    return query, grid(query.bbox, _zoom(zoom) if zoom else fitting_zoom(query.bbox))


def asked(params: QueryParams, known: Iterable[str]) -> QueryParams:
    """What a page can be asked: less the fields left empty, and less what others hang on a link that is shared.

    Raises `bad_request` for an address of more fields than any of ours has.
    """
    _require_few(params)
    return QueryParams([(key, value) for key, value in params.multi_items() if key in known and value.strip()])


def without(params: QueryParams, *keys: str) -> list[tuple[str, str]]:
    """The pairs of all other keys."""
    return [(key, value) for key, value in params.multi_items() if key not in keys]


def _require_few(params: QueryParams) -> None:
    if len(params.multi_items()) > PAIRS_MAX:
        raise Refused(Code.BAD_REQUEST, f"The query has more than {PAIRS_MAX} fields.")


def _zoom(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _require_known(params: QueryParams, readable: Iterable[str]) -> None:
    _require_few(params)
    names_known = sorted({*readable, "tag"})
    unknown = sorted(set(params) - set(names_known))
    if unknown:
        known = ", ".join(names_known)
        names = ", ".join(name[:50] for name in unknown[:5]).encode("utf-8", "replace").decode()
        raise Refused(Code.BAD_REQUEST, f"Unknown in the query: {names}. Known are {known}.")
    repeated = [name for name in names_known if name != "tag" and len(params.getlist(name)) > 1]
    if repeated:
        raise Refused(Code.BAD_REQUEST, f"{repeated[0]} is there more than once; only tag may be repeated.")


def point(text: str) -> tuple[float, float]:
    """`latitude,longitude`, not yet known to be on the earth; raises `bad_place`."""
    latitude, longitude = _numbers(text, count=2, shape="near must be latitude,longitude, such as 48.8566,2.3522.")
    return latitude, longitude


def _box(text: str) -> Box:
    west, south, east, north = _numbers(text, count=4, shape="bbox must be west,south,east,north in degrees.")
    return Box(west=west, south=south, east=east, north=north)


def _radius_m(text: str) -> float:
    return _numbers(text, count=1, shape="radius_m must be a number of metres.")[0]


def _numbers(text: str, *, count: int, shape: str) -> list[float]:
    try:
        numbers = [float(part) for part in text.split(",", count)]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise Refused(Code.BAD_PLACE, shape)
    return numbers


def whole_number(text: str, *, what: str, most: int) -> int:
    """From 1 to `most`; raises `bad_request`, naming `what`."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise Refused(Code.BAD_REQUEST, f"{what} must be a whole number from 1 to {most}.")
    return int(text)


def _sort(text: str) -> Sort:
    try:
        return Sort(text)
    except ValueError:
        raise Refused(Code.BAD_REQUEST, f"sort must be one of {', '.join(Sort)}.") from None


READERS: Mapping[str, Callable[[str], Any]] = {
    "q": str,
    "near": point,
    "radius_m": _radius_m,
    "bbox": _box,
    "channel": clean_handle,
    "language": clean_language,
    "since": lambda text: parse_rfc3339(text, what="since"),
    "until": lambda text: parse_rfc3339(text, what="until"),
    "sort": _sort,
    "limit": lambda text: whole_number(text, what="limit", most=LIMIT_MAX),
    "cursor": str,
}
VIEW_FIELDS = ("bbox", "q", "channel", "language", "tag", "since", "until")
"""What narrows a map."""

FIELDS = {"sort": "order"}
"""Parameters that the query knows by another name."""
