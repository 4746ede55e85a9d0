"""Invitations, as rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, update
from sqlmodel import Session, col, delete, select

from bubbles.model.invitation import Invitation


def good(session: Session, secret_hash: str, now: datetime, *, lock: bool = False) -> Invitation | None:
    """An invitation that can still be used; locked, it waits for whoever is using it."""
    unused = (col(Invitation.used_at).is_(None), Invitation.expires_at > now)
    query = select(Invitation).where(Invitation.secret_hash == secret_hash, *unused)
    return session.exec(query.with_for_update() if lock else query).first()


def made_since(session: Session, account_id: int, since: datetime) -> int:
    """How many invitations an account made after `since`."""
    theirs = (Invitation.made_by == account_id, Invitation.created_at > since)
    return session.exec(select(func.count()).select_from(Invitation).where(*theirs)).one()


def nth_latest(session: Session, account_id: int, number: int) -> datetime | None:
    """When an account made its `number`-th latest invitation."""
    made = select(Invitation.created_at).where(Invitation.made_by == account_id)
    return session.exec(made.order_by(col(Invitation.created_at).desc()).offset(number - 1).limit(1)).first()


def open_of(session: Session, account_id: int, now: datetime) -> Sequence[Invitation]:
    """The invitations an account made that nobody has used and that have not expired, newest first."""
    unused = (col(Invitation.used_at).is_(None), Invitation.expires_at > now, Invitation.made_by == account_id)
    return session.exec(select(Invitation).where(*unused).order_by(col(Invitation.id).desc())).all()


def end_of(session: Session, account_id: int, now: datetime) -> None:
    """Ends the invitations an account made that can still be used."""
    unused = (col(Invitation.used_at).is_(None), col(Invitation.expires_at) > now)
    session.exec(update(Invitation).where(col(Invitation.made_by) == account_id, *unused).values(expires_at=now))


def forget(session: Session, before: datetime) -> int:
    """Deletes invitations that were used or expired before that moment; returns how many."""
    over = (col(Invitation.used_at) < before) | (col(Invitation.expires_at) < before)
    return session.exec(delete(Invitation).where(over)).rowcount
