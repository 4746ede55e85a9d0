"""Attempts, as rows: what the limits are counted from."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, text
from sqlmodel import Session, col, delete, select

from bubbles.model.attempt import Attempt


def lock(session: Session, subject: bytes) -> None:
    """Lets one transaction at a time count and add the attempts of a subject."""
    key = {"subject": subject.hex()}
    session.connection().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"), key)


def count(session: Session, subjects: Collection[bytes], since: datetime) -> int:
    """How many attempts of these subjects came after `since`."""
    theirs = (col(Attempt.subject).in_(subjects), Attempt.tried_at > since)
    return session.exec(select(func.count()).select_from(Attempt).where(*theirs)).one()


def nth_latest(session: Session, subjects: Collection[bytes], number: int) -> datetime | None:
    """When the `number`-th latest attempt of these subjects was."""
    latest = select(Attempt.tried_at).where(col(Attempt.subject).in_(subjects)).order_by(col(Attempt.tried_at).desc())
    return session.exec(latest.offset(number - 1).limit(1)).first()


def forgive(session: Session, attempt_ids: Collection[int]) -> None:
    """Deletes attempts that turned out to be in order."""
    session.exec(delete(Attempt).where(col(Attempt.id).in_(attempt_ids)))


def forget(session: Session, before: datetime) -> int:
    """Deletes attempts from before that moment; returns how many."""
    return session.exec(delete(Attempt).where(col(Attempt.tried_at) < before)).rowcount
