"""Places in SQL: over the sphere, across the antimeridian and around the poles, from the point that is stored."""

import math
from dataclasses import replace

from sqlalchemy import ColumnElement, Float, and_, bindparam, case, cast, func, or_
from sqlmodel import col

from bubbles.model.bubble import Bubble
from bubbles.model.place import EARTH_RADIUS_M
from bubbles.model.query import Box

stored_latitude, stored_longitude = col(Bubble.latitude), col(Bubble.longitude)
has_place = stored_latitude.is_not(None)
"""A condition of the index of points."""
SLACK_DEGREES = 1e-6
"""A tenth of a metre: a box that only narrows down may be too large, never too small."""


def distance_m(point: tuple[float, float]) -> ColumnElement[float]:
    """Metres along the great circle from a bubble to a latitude and longitude, as `bubbles.model.place` has them.

    NULL for a bubble without a place.
    """
    latitude, longitude = map(_number, point)
    up = func.sin(func.radians(stored_latitude - latitude) / 2)
    across = func.sin(func.radians(stored_longitude - longitude) / 2)
    h = up * up + func.cos(func.radians(latitude)) * func.cos(func.radians(stored_latitude)) * across * across
    # `least` overlooks NULL: without the condition a bubble without a place would lie at the antipodes.
    return case((has_place, 2 * EARTH_RADIUS_M * func.asin(func.least(1.0, func.sqrt(h)))))


def flat_distance(point: tuple[float, float]) -> ColumnElement[float]:
    """Degrees on the flat map, which the index can order by: right in what is close, wrong across the antimeridian."""
    return _stored_point.op("<->", return_type=Float())(func.point(_number(point[1]), _number(point[0])))


def around(point: tuple[float, float], radius_m: float) -> list[Box]:
    """Boxes that together hold every point within the radius, and some that lie outside."""
    angle = math.degrees(radius_m / EARTH_RADIUS_M) + SLACK_DEGREES
    latitude, longitude = point
    south, north = latitude - angle, latitude + angle
    if south <= -90 or north >= 90:
        return [Box(-180.0, max(south, -90.0), 180.0, min(north, 90.0))]
    # The circle is widest nearer to the pole than its centre is.
    width = math.degrees(math.asin(math.sin(math.radians(angle)) / math.cos(math.radians(latitude))))
    west, east = _wrapped(longitude - width), _wrapped(longitude + width)
    return parts(Box(west, south, east, north))


def _wrapped(longitude: float) -> float:
    return (longitude + 180) % 360 - 180


def parts(box: Box) -> list[Box]:
    """The box as one or more that do not cross the antimeridian, which lies at 180 degrees as well as at -180."""
    if box.west > box.east:
        return [replace(box, east=180.0), replace(box, west=-180.0)]
    boxes = [box]
    if box.west == -180:
        boxes.append(replace(box, west=180.0, east=180.0))
    if box.east == 180:
        boxes.append(replace(box, west=-180.0, east=-180.0))
    return boxes


def indexed(boxes: list[Box]) -> ColumnElement[bool]:
    """Bubbles in any of the boxes, by the index of points; may hold a few from just outside."""
    return or_(*(_stored_point.op("<@", is_comparison=True)(_rectangle(box)) for box in boxes))


def exact(boxes: list[Box]) -> ColumnElement[bool]:
    """Bubbles in any of the boxes, edges included, by comparison of numbers: no index, but the planner can count."""
    return or_(
        *(
            and_(
                stored_latitude.between(_number(box.south), _number(box.north)),
                stored_longitude.between(_number(box.west), _number(box.east)),
            )
            for box in boxes
        )
    )


def _rectangle(box: Box) -> ColumnElement[object]:
    low = func.point(_number(box.west - SLACK_DEGREES), _number(box.south - SLACK_DEGREES))
    return func.box(low, func.point(_number(box.east + SLACK_DEGREES), _number(box.north + SLACK_DEGREES)))


def _number(value: float) -> ColumnElement[float]:
    return cast(bindparam(None, value, type_=Float()), Float(53))


_stored_point: ColumnElement[object] = func.point(stored_longitude, stored_latitude)
