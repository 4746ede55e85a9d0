"""Conditions that few bubbles meet, or none: that is found out first.

The planner guesses how many do, and where it guesses too many it walks through all bubbles, from the newest or the
nearest on, to find a few that are not there.
"""

from typing import Any, cast

from sqlalchemy import ARRAY, BigInteger, ColumnElement, bindparam, false, func, literal, select, text
from sqlmodel import Session, col
from sqlmodel import select as select_one

from bubbles.db import nearby
from bubbles.db.bubbles import LISTED
from bubbles.model.bubble import Bubble
from bubbles.model.channel import Channel
from bubbles.model.query import Box, Query

NARROW_MAX = 2_000
"""Up to this many bubbles in a region its index is used; of more the planner, who can count, reads the newest first."""
SPOKEN_MAX = 5_000
"""Up to this many bubbles in a language they are looked at one by one, in a twentieth of a second."""
bubble_key: ColumnElement[Any] = cast("ColumnElement[Any]", Bubble.id)


def is_impossible(query: Query) -> bool:
    """Whether nothing can meet it: a time that ends before it begins."""
    return query.since is not None and query.until is not None and query.until <= query.since


def within(session: Session, boxes: list[Box]) -> ColumnElement[bool]:
    """Bubbles in the boxes: by the index where they are few. The planner takes any box for a thousandth of the earth,
    so that for a whole country it would collect and sort, where the newest are a few rows away."""
    in_index = nearby.indexed(boxes)
    few = select(bubble_key).where(LISTED, nearby.has_place, in_index).limit(NARROW_MAX + 1).subquery()
    count = session.connection().execute(select(func.count()).select_from(few)).scalar_one()
    return nearby.has_place & (in_index if count <= NARROW_MAX else nearby.exact(boxes))


def published_by(session: Session, handle: str) -> ColumnElement[bool]:
    """Bubbles of a channel, by its number, of which the planner knows how many there are; none of no channel."""
    channel_id = session.exec(select_one(Channel.id).where(Channel.handle == handle)).first()
    return false() if channel_id is None else col(Bubble.channel_id) == literal(channel_id)


def spoken_in(session: Session, language: str) -> ColumnElement[bool] | None:
    """Bubbles in a BCP 47 language, one by one where they are few; None where there are many.

    Varieties are in it: `pt-BR` is in `pt`.
    """
    asked = {"language": language.lower(), "most": SPOKEN_MAX + 1}
    found = list(session.connection().execute(_SPOKEN, asked).scalars())
    if len(found) > SPOKEN_MAX:
        return None
    return bubble_key == func.any(bindparam(None, found, type_=ARRAY(BigInteger))) if found else false()


_SPOKEN = text(
    """
    (SELECT bubble_id FROM search_document WHERE lower(language) = :language LIMIT :most)
    UNION ALL
    (
        SELECT bubble_id FROM search_document
        WHERE lower(language) ~>=~ (:language || '-') AND lower(language) ~<~ (:language || '.') LIMIT :most
    )
    LIMIT :most
    """
)
"""A full stop follows a dash: what begins with the language and a dash lies between the two."""

one_by_one: ColumnElement[bool] = func.coalesce(LISTED, False)
"""Listed, said so that the indexes of all that is listed are not walked through: for bubbles that are named."""
