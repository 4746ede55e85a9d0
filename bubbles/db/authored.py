"""The bubbles that an account posted, in whichever channel, as rows."""

from sqlmodel import Session, col, select

from bubbles.model.bubble import Bubble
from bubbles.model.upload import Upload


def page(session: Session, account_id: int, *, after: int, limit: int) -> list[Bubble]:
    """The next bubbles by their key, withdrawn ones included; `after` is the key of the last one, 0 at the start."""
    query = select(Bubble).where(Bubble.author_id == account_id, col(Bubble.id) > after)
    return list(session.exec(query.order_by(col(Bubble.id)).limit(limit)))


def uploads(session: Session, account_id: int) -> list[Upload]:
    """The account's tries at posting that are still remembered, oldest first."""
    return list(session.exec(select(Upload).where(Upload.account_id == account_id).order_by(col(Upload.id))))
