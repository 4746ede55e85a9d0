"""A place in words and as a small picture: its cell and its bubble on a sheet of graph paper, without a map."""

import math
from typing import Any

from babel.numbers import format_decimal

from bubbles.http import naming
from bubbles.http.languages import Texts
from bubbles.model.place import (
    EARTH_RADIUS_M,
    NEIGHBOURHOODS_PER_TOWN,
    STREETS_PER_NEIGHBOURHOOD,
    Precision,
    cell_of,
)

WIDTH, HEIGHT = 320, 220
CELLS_HIGH = 3.0
"""How many cells the sheet is high."""

EXACT_HEIGHT_M = 300.0
EXACT_RADIUS = 14.0
"""A place that is told exactly has no radius: its bubble is drawn as large as a finger can see."""

LINE_GAP_MIN = 4.0
"""At the poles cells become slivers; lines stay this far apart."""

KILOMETRE_M = 1000
DEGREE_M = math.radians(1) * EARTH_RADIUS_M
DECIMALS = {Precision.EXACT: 5, Precision.STREET: 3, Precision.NEIGHBOURHOOD: 2, Precision.TOWN: 1}
"""Decimals of a degree that say no more than the precision does."""

FINE = {
    Precision.EXACT: 1,
    Precision.STREET: 1,
    Precision.NEIGHBOURHOOD: STREETS_PER_NEIGHBOURHOOD,
    Precision.TOWN: NEIGHBOURHOODS_PER_TOWN,
}
"""Into how many finer cells a cell is ruled."""


def where(place: dict[str, Any], t: Texts) -> str:
    """`in Lyon, France, to within 700 m`, `near Villeurbanne, France`; far from every town the point in degrees."""
    town, radius = place["town"], length(place["radius_m"], t, digits=1)
    if town and town["is_near"]:
        return name(place, t)
    if town:
        where = t("place.in", name=name(place, t))
        return t("place.roughly", where=where, radius=radius) if place["radius_m"] else where
    point = coordinates(place, t)
    return t("place.within", radius=radius, point=point) if place["radius_m"] else t("place.at", point=point)


def name(place: dict[str, Any], t: Texts) -> str:
    """`Lyon, France`, `near Villeurbanne, France`; far from every town the point in degrees."""
    town = place["town"]
    if town is None:
        return coordinates(place, t)
    label = naming.label(town["name"], town["region"], town["country"], t.language)
    return t("place.near", name=label) if town["is_near"] else label


def coordinates(place: dict[str, Any], t: Texts) -> str:
    """`47.38° N, 8.54° E`, to the decimals that its precision tells."""
    decimals = "0." + "0" * DECIMALS.get(Precision(place["precision"]), 5)

    def degrees(value: float, side: str) -> str:
        return t(f"place.{side}", degrees=format_decimal(abs(value), decimals, locale=t.locale))

    latitude, longitude = place["latitude"], place["longitude"]
    return t(
        "place.point",
        latitude=degrees(latitude, "south" if latitude < 0 else "north"),
        longitude=degrees(longitude, "west" if longitude < 0 else "east"),
    )


def length(length_m: float, t: Texts, *, digits: int = 2) -> str:
    """About how long, rounded to so many digits: `100 m`, `710 m`, `1.2 km`, `7 km`."""
    if not (math.isfinite(length_m) and length_m > 0):
        return t("place.metres", length=0)
    step = 10.0 ** (math.floor(math.log10(length_m)) - digits + 1)
    rounded_m = round(length_m / step) * step
    if rounded_m < KILOMETRE_M:
        return t("place.metres", length=f"{rounded_m:.0f}")
    return t("place.kilometres", length=format_decimal(rounded_m / KILOMETRE_M, "0.######", locale=t.locale))


def drawn(place: dict[str, Any], t: Texts) -> dict[str, Any]:
    """What the template draws: `rules` and `fine` as SVG paths, `cell` as x, y, width, height, `radius`, `scale`.

    Drawing units; the place is at the centre. East and west are true to the cell's own latitude.
    """
    precision = Precision(place["precision"])
    width_m, height_m = _cell_m(place, precision)
    view_m = EXACT_HEIGHT_M if precision is Precision.EXACT else height_m * CELLS_HIGH
    per_m = HEIGHT / view_m
    across, high = width_m * per_m, height_m * per_m
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "rules": _ruling(across, high, parts=1),
        "fine": _ruling(across, high, parts=FINE[precision]) if FINE[precision] > 1 else "",
        "cell": None if precision is Precision.EXACT else [_n(v) for v in _centred(across, high)],
        "radius": _n(place["radius_m"] * per_m or EXACT_RADIUS),
        "scale": _scale(view_m, per_m, t),
    }


def _cell_m(place: dict[str, Any], precision: Precision) -> tuple[float, float]:
    """Width and height in metres of the cell; of a square as large as a street cell for an exact place."""
    if precision is Precision.EXACT:
        return EXACT_HEIGHT_M / 3, EXACT_HEIGHT_M / 3
    cell = cell_of(place["latitude"], place["longitude"], precision)
    shrink = max(math.cos(math.radians(place["latitude"])), 1e-6)
    return (cell.east - cell.west) * DEGREE_M * shrink, (cell.north - cell.south) * DEGREE_M


def _centred(across: float, high: float) -> tuple[float, float, float, float]:
    return (WIDTH - across) / 2, (HEIGHT - high) / 2, across, high


def _ruling(across: float, high: float, *, parts: int) -> str:
    """Lines on the borders of all cells, or of the parts that each is cut into; the middle cell lies at the centre."""
    columns = "".join(f"M{_n(x)} 0V{HEIGHT}" for x in _borders(WIDTH, across, parts))
    rows = "".join(f"M0 {_n(y)}H{WIDTH}" for y in _borders(HEIGHT, high, parts))
    return columns + rows


def _borders(extent: float, cell: float, parts: int) -> list[float]:
    step = max(cell / parts, LINE_GAP_MIN)
    first = (extent - cell) / 2 % step
    return [first + step * number for number in range(math.ceil((extent - first) / step))]


def _scale(view_m: float, per_m: float, t: Texts) -> dict[str, Any]:
    """A bar of a round length, about a quarter of the sheet."""
    wanted_m = view_m / 3
    power = 10.0 ** math.floor(math.log10(wanted_m))
    bar_m = max(step * power for step in (1, 2, 5) if step * power <= wanted_m)
    return {"label": length(bar_m, t), "length": _n(bar_m * per_m)}


def _n(number: float) -> float:
    return round(number, 1)
