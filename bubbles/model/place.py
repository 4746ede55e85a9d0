"""Places, and how they are blurred before anyone stores them.

The earth is cut once into fixed cells. Latitude is cut into 2,000 town rows of 0.09 degrees (10 km); each row into as
many town columns as make them about as wide as high. A town cell holds 10 x 10 neighbourhood cells (1 km), each of
which holds 7 x 7 street cells (143 m). Cells nest, so posting again at another precision narrows nothing down.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from bubbles.errors import Code, Refused

EARTH_RADIUS_M = 6_371_008.8
TOWN_ROWS = 2_000
STREETS_PER_NEIGHBOURHOOD = 7
NEIGHBOURHOODS_PER_TOWN = 10
STREETS_PER_TOWN = STREETS_PER_NEIGHBOURHOOD * NEIGHBOURHOODS_PER_TOWN
STREET_ROWS = TOWN_ROWS * STREETS_PER_TOWN
EXACT_DECIMALS = 6
"""Decimals of a degree that are kept of any coordinate: 0.1 m."""


class Precision(StrEnum):
    """How much of a place is told, from all to nothing."""

    EXACT = "exact"
    STREET = "street"
    NEIGHBOURHOOD = "neighbourhood"
    TOWN = "town"
    NONE = "none"

    @property
    def coarseness(self) -> int:
        """0 for `exact` up to 4 for `none`: a larger number tells less."""
        return list(Precision).index(self)


class PlaceRole(StrEnum):
    """What the place means: the voice was recorded there, or speaks about it."""

    RECORDED = "recorded"
    ABOUT = "about"

    @property
    def default_precision(self) -> Precision:
        """What is told when the author does not say."""
        return Precision.NEIGHBOURHOOD if self is PlaceRole.RECORDED else Precision.EXACT


STREETS_ACROSS = {
    Precision.STREET: 1,
    Precision.NEIGHBOURHOOD: STREETS_PER_NEIGHBOURHOOD,
    Precision.TOWN: STREETS_PER_TOWN,
}


@dataclass(frozen=True)
class Cell:
    """A rectangle of latitudes and longitudes, in degrees."""

    south: float
    west: float
    north: float
    east: float

    @property
    def ring(self) -> list[list[float]]:
        """The closed, counter-clockwise ring of a GeoJSON polygon: five `[longitude, latitude]` pairs."""
        return [
            [self.west, self.south],
            [self.east, self.south],
            [self.east, self.north],
            [self.west, self.north],
            [self.west, self.south],
        ]


@dataclass(frozen=True)
class Place:
    """A point that may be stored: already as blurred as its precision says. Degrees and metres."""

    latitude: float
    longitude: float
    radius_m: float
    precision: Precision
    role: PlaceRole


def snap(latitude: float, longitude: float, precision: Precision, role: PlaceRole) -> Place | None:
    """The place to store for a point: the centre of its cell, the point itself for `exact`, none for `none`.

    Latitude is -90 to 90 degrees, longitude -180 to 180; anything else, infinities and NaN raise `bad_place`.
    """
    require_coordinates(latitude, longitude)
    if precision is Precision.NONE:
        return None
    if precision is Precision.EXACT:
        point = round(latitude, EXACT_DECIMALS), round(longitude, EXACT_DECIMALS)
        return Place(*point, radius_m=0.0, precision=precision, role=role)
    cell = cell_of(latitude, longitude, precision)
    centre = (
        round((cell.south + cell.north) / 2, EXACT_DECIMALS),
        round((cell.west + cell.east) / 2, EXACT_DECIMALS),
    )
    diagonal_m = distance_m(cell.south, cell.west, cell.north, cell.east)
    return Place(*centre, radius_m=round(diagonal_m / 2, 1), precision=precision, role=role)


def cell_of(latitude: float, longitude: float, precision: Precision) -> Cell:
    """The cell of a precision (`street`, `neighbourhood`, `town`) that holds a point."""
    across = STREETS_ACROSS[precision]
    street_row = min(int((latitude + 90) / 180 * STREET_ROWS), STREET_ROWS - 1)
    street_columns = _town_columns(street_row // STREETS_PER_TOWN) * STREETS_PER_TOWN
    street_column = min(int((longitude + 180) / 360 * street_columns), street_columns - 1)
    row, column = street_row // across, street_column // across
    height, width = 180 / STREET_ROWS * across, 360 / street_columns * across
    south, west = row * height - 90, column * width - 180
    return Cell(south, west, min(south + height, 90.0), min(west + width, 180.0))


def _town_columns(town_row: int) -> int:
    """How many town cells go around the earth in a row: as wide as high at the row's middle."""
    middle = math.radians((town_row + 0.5) * 180 / TOWN_ROWS - 90)
    return max(1, round(2 * TOWN_ROWS * math.cos(middle)))


def require_coordinates(latitude: float, longitude: float) -> None:
    """Raises `bad_place` unless both are finite and on the earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Refused(Code.BAD_PLACE, "Latitude must lie between -90 and 90, longitude between -180 and 180.")


def distance_m(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Metres along the great circle between two points in degrees (haversine, spherical earth)."""
    a, b = math.radians(latitude), math.radians(other_latitude)
    across = math.radians(other_longitude - longitude)
    h = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_M * math.asin(min(1.0, math.sqrt(h)))
