"""The bubbles of a person's channels, sorted onto shelves by what is to be done about them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, tuple_
from sqlmodel import Session, col, select

from bubbles.model.bubble import Bubble, Visibility


class Shelf(StrEnum):
    """Where a bubble lies in the studio. The order of the moments is that of `State`; `ALL` holds what is not gone."""

    ALL = "all"
    PREPARED = "prepared"
    ON_AIR = "on_air"
    CLOSED = "closed"  # plays for who has the link, or for the team
    HELD = "held"
    REFUSED = "refused"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


_SHELF: ColumnElement[str] = case(
    (col(Bubble.withdrawn_at).is_not(None), Shelf.WITHDRAWN),
    (col(Bubble.refused_at).is_not(None), Shelf.REFUSED),
    (col(Bubble.held_at).is_not(None), Shelf.HELD),
    (col(Bubble.failed_at).is_not(None), Shelf.FAILED),
    (col(Bubble.playable_at).is_(None), Shelf.PREPARED),
    (col(Bubble.visibility) == Visibility.PUBLIC, Shelf.ON_AIR),
    else_=Shelf.CLOSED,
)


def counts(session: Session, channel_ids: Sequence[int]) -> dict[Shelf, int]:
    """How many bubbles of the channels lie on each shelf."""
    query = select(_SHELF, func.count()).where(col(Bubble.channel_id).in_(channel_ids)).group_by(_SHELF)
    found = {Shelf(shelf): count for shelf, count in session.exec(query)}
    found[Shelf.ALL] = sum(count for shelf, count in found.items() if shelf is not Shelf.WITHDRAWN)
    return {shelf: found.get(shelf, 0) for shelf in Shelf}


def page(
    session: Session, channel_ids: Sequence[int], shelf: Shelf, *, limit: int, after: str | None = None
) -> list[Bubble]:
    """The newest bubbles of a shelf; `after` is the code of the last one on the page before."""
    mine = col(Bubble.channel_id).in_(channel_ids)
    query: Any = select(Bubble).where(mine, _SHELF != Shelf.WITHDRAWN if shelf is Shelf.ALL else shelf == _SHELF)
    if after is not None:
        last = session.exec(select(Bubble.created_at, Bubble.id).where(Bubble.code == after, mine)).first()
        if last is not None:
            query = query.where(tuple_(col(Bubble.created_at), col(Bubble.id)) < tuple_(*last))
    newest = query.order_by(col(Bubble.created_at).desc(), col(Bubble.id).desc()).limit(limit)
    return list(session.exec(newest))
