"""What other rows still say of a withdrawn bubble, and the rows that an older release has not emptied."""

from typing import Any, cast

from sqlalchemy import ColumnElement, and_, exists, func, or_
from sqlmodel import Session, col, delete, select, update

from bubbles.model.bubble import Bubble
from bubbles.model.step import Step
from bubbles.model.upload import Upload
from bubbles.model.withdrawn import EMPTIED

_IS_OVER = or_(col(Step.finished_at).is_not(None), col(Step.gave_up_at).is_not(None))


def forget_course(session: Session, bubble: Bubble) -> None:
    """Deletes the steps that are over, and the digest of what was uploaded; the key stays, so that it is used once.

    A step under way ends by itself: its worker finds that there is nothing to do.
    """
    session.exec(delete(Step).where(col(Step.bubble_id) == bubble.id, _IS_OVER))
    # By way of the account, since that is indexed.
    mine = (col(Upload.account_id) == bubble.author_id, col(Upload.bubble_id) == bubble.id)
    session.exec(update(Upload).where(*mine, col(Upload.fingerprint).is_not(None)).values(fingerprint=None))


def not_emptied(session: Session, *, after: int, limit: int) -> list[Bubble]:
    """The next withdrawn bubbles, by their key, of which more is left than is kept; locked, those in use left out."""
    day = func.date_trunc("day", Bubble.created_at, "UTC")
    holds = [cast("ColumnElement[Any]", getattr(Bubble, name)).is_distinct_from(EMPTIED[name]) for name in EMPTIED]
    finer = (col(Bubble.created_at) != day, col(Bubble.recorded_at) != col(Bubble.created_at))
    left = or_(*holds, *finer, _has_steps(), _has_digest())
    found = select(Bubble).where(col(Bubble.withdrawn_at).is_not(None), col(Bubble.id) > after, left)
    return list(session.exec(found.order_by(col(Bubble.id)).limit(limit).with_for_update(skip_locked=True)))


def _has_steps() -> ColumnElement[bool]:
    return exists().where(and_(col(Step.bubble_id) == Bubble.id, _IS_OVER))


def _has_digest() -> ColumnElement[bool]:
    mine = (col(Upload.account_id) == Bubble.author_id, col(Upload.bubble_id) == Bubble.id)
    return exists().where(*mine, col(Upload.fingerprint).is_not(None))
