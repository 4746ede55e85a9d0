"""The grid that a map's bubbles are gathered in: squares of the flat web map (Mercator), finer with each zoom."""

import math
from dataclasses import dataclass

from bubbles.errors import Code, Refused
from bubbles.model.query import Box

ZOOM_MAX = 24.0
TILE_PX = 512
"""The world at zoom 0, as MapLibre counts zooms."""

SQUARE_PX = 64
SQUARES_MAX = 2_048
"""Of one view: a screen of four thousand pixels across, or whatever somebody asks for."""

LATITUDE_MAX = 85.051129
"""The flat map ends here; what lies beyond is in its outermost row."""


@dataclass(frozen=True)
class Grid:
    """So many columns and rows around the world, counted from 180 degrees west and from the north."""

    columns: int


def grid(box: Box, zoom: float) -> Grid:
    """The grid for a view: its squares are at least `SQUARE_PX` wide at that zoom, and at most `SQUARES_MAX`.

    Raises `bad_request` for a zoom that no map has.
    """
    if not 0 <= zoom <= ZOOM_MAX:
        raise Refused(Code.BAD_REQUEST, f"zoom must be a number from 0 to {ZOOM_MAX:.0f}.")
    level = int(zoom + math.log2(TILE_PX / SQUARE_PX))
    while level and _squares(box, 2**level) > SQUARES_MAX:
        level -= 1
    return Grid(2**level)


def fitting_zoom(box: Box) -> float:
    """The zoom at which the box is about as wide as a tile."""
    return min(math.log2(1 / max(_width(box), 2**-ZOOM_MAX)), ZOOM_MAX)


def _squares(box: Box, columns: int) -> int:
    high = _down(box.south) - _down(box.north)
    return (math.ceil(_width(box) * columns) + 1) * (math.ceil(high * columns) + 1)


def _width(box: Box) -> float:
    """Part of the way around the world."""
    return (box.east - box.west + (360 if box.west > box.east else 0)) / 360


def _down(latitude: float) -> float:
    """Part of the way from the north end of the flat map to its south end."""
    angle = math.radians(max(-LATITUDE_MAX, min(latitude, LATITUDE_MAX)))
    return 0.5 - math.asinh(math.tan(angle)) / (2 * math.pi)
