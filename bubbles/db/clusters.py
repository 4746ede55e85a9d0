"""The bubbles of a map's view, gathered in the squares of a grid: counted here, on the points that are stored."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlmodel import Session, col

from bubbles.db import nearby, search
from bubbles.db.bubbles import LISTED
from bubbles.db.narrowing import bubble_key
from bubbles.db.search import playable_at
from bubbles.db.terms import Asked
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.map_grid import LATITUDE_MAX, Grid
from bubbles.model.place import EXACT_DECIMALS, Precision
from bubbles.model.query import Box, Query

COUNTED_MAX = 100_000
"""The newest this many of a view are counted; it takes a fifth of a second."""


@dataclass(frozen=True)
class Cluster:
    """Bubbles of one square: their mean point, the box around them, and the precision where all share one point.

    `bubble_id` is the only one's where there is only one.
    """

    count: int
    latitude: float
    longitude: float
    box: Box
    precision: Precision | None
    bubble_id: int | None


def clusters(session: Session, query: Query, asked: Asked | None, grid: Grid) -> list[Cluster]:
    """All listed bubbles with a place that meet the query's conditions, of `COUNTED_MAX` and more the newest."""
    if asked is not None and asked.is_empty:
        return []
    session.connection().execute(search.PLAN_FOR_SEARCH)
    newest = (
        search.matching(session, query, asked)
        .add_columns(nearby.stored_latitude, nearby.stored_longitude, col(Bubble.precision))
        .where(nearby.has_place)
        .order_by(playable_at.desc())
        .limit(COUNTED_MAX)
        .subquery()
    )
    at, latitude, longitude = newest.c, newest.c.latitude, newest.c.longitude
    ends = [end(part) for part in (latitude, longitude, at.precision) for end in (func.min, func.max)]
    counts = select(func.count(), func.avg(latitude), func.avg(longitude), *ends, func.min(at.id))
    rows = session.connection().execute(counts.group_by(*_square(latitude, longitude, grid.columns)))
    return [_cluster(*row) for row in rows]


def _square(latitude: Any, longitude: Any, columns: int) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Column and row; 180 degrees is in the last column, though the same meridian begins the first."""
    across = func.least(func.floor((longitude + 180) / 360 * columns), columns - 1)
    clamped = func.radians(func.least(func.greatest(latitude, -LATITUDE_MAX), LATITUDE_MAX))
    down = func.floor((0.5 - func.asinh(func.tan(clamped)) / (2 * func.pi())) * columns)
    return across, down


def _cluster(  # noqa: PLR0917 - the columns of a row
    count: int,
    latitude: float,
    longitude: float,
    south: float,
    north: float,
    west: float,
    east: float,
    one: str,
    other: str,
    bubble_id: int,
) -> Cluster:
    is_point = south == north and west == east
    return Cluster(
        count,
        south if is_point else round(latitude, EXACT_DECIMALS),
        west if is_point else round(longitude, EXACT_DECIMALS),
        Box(west, south, east, north),
        Precision(one) if is_point and one == other else None,
        bubble_id if count == 1 else None,
    )


def alone(session: Session, found: list[Cluster]) -> dict[int, tuple[Bubble, Channel]]:
    """The bubbles that are alone in their square, with who publishes them, less what was unlisted in this moment."""
    ids = [cluster.bubble_id for cluster in found if cluster.bubble_id]
    channel = col(Channel.id) == col(Bubble.channel_id)
    rows = session.execute(select(Bubble, Channel).join(Channel, channel).where(bubble_key.in_(ids), LISTED))
    return {bubble.id: (bubble, of) for bubble, of in rows}
