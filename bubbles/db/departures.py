"""Departures, as rows: who leaves what behind, and what is still to be withdrawn."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, delete, select, update

from bubbles.db import jobs
from bubbles.model.account import SignInLink
from bubbles.model.bubble import Bubble, Visibility
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.departure import Departure


def owned(session: Session, account_id: int) -> list[Channel]:
    """The channels that an account owns, locked, so that no team changes meanwhile."""
    mine = (Membership.account_id == account_id, Membership.role == Role.OWNER)
    query = select(Channel).join(Membership).where(*mine).order_by(col(Channel.id)).with_for_update(of=Channel)
    return list(session.exec(query))


def others(session: Session, channel_id: int, account_id: int) -> Sequence[Membership]:
    """The rest of a team."""
    rest = (Membership.channel_id == channel_id, Membership.account_id != account_id)
    return session.exec(select(Membership).where(*rest)).all()


def teams(session: Session, account_id: int) -> list[int]:
    """The channels whose team an account is in, whatever its role."""
    return list(session.exec(select(Membership.channel_id).where(Membership.account_id == account_id)))


def begin(session: Session, departure: Departure) -> None:
    """Takes the account out of every team and its unused links away; the rest follows by itself."""
    session.add(departure)
    session.exec(delete(Membership).where(col(Membership.account_id) == departure.account_id))
    unused = (col(SignInLink.account_id) == departure.account_id, col(SignInLink.used_at).is_(None))
    session.exec(delete(SignInLink).where(*unused))
    jobs.enqueue(session, "leave", queue="upkeep", once=True)


def hide(session: Session, departure: Departure) -> None:
    """Hides from strangers, in one statement, all that is to be withdrawn."""
    shown = col(Bubble.visibility) != Visibility.PRIVATE
    hidden = {"visibility": Visibility.PRIVATE.value, "version": col(Bubble.version) + 1}
    session.exec(update(Bubble).where(*_going(departure), shown).values(hidden))


def under_way(session: Session) -> list[Departure]:
    """Departures that are not done, oldest first."""
    query = select(Departure).where(col(Departure.done_at).is_(None)).order_by(col(Departure.left_at))
    return list(session.exec(query))


def left_behind(session: Session, departure: Departure, *, limit: int) -> list[int]:
    """Keys of bubbles that are still to be withdrawn."""
    return list(session.exec(select(Bubble.id).where(*_going(departure)).order_by(col(Bubble.id)).limit(limit)))


def _going(departure: Departure) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What goes with a departure and is not withdrawn yet."""
    own = col(Bubble.channel_id).in_(departure.channel_ids)
    shared = and_(col(Bubble.channel_id).in_(departure.shared_ids), col(Bubble.author_id) == departure.account_id)
    return or_(own, shared), col(Bubble.withdrawn_at).is_(None)


def done(session: Session, departure: Departure, now: datetime) -> None:
    """Nothing is left."""
    session.exec(update(Departure).where(col(Departure.account_id) == departure.account_id).values(done_at=now))
