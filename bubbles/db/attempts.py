"""Attempts, as rows: what limits of so many an hour are counted from."""

import math
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, delete, select

from bubbles.model.attempt import Attempt

HOUR = timedelta(hours=1)


def lock(session: Session, subject: bytes) -> None:
    """Lets one transaction at a time count and add the attempts of a subject."""
    key = {"subject": subject.hex()}
    session.connection().execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:subject, 0))"), key)


def full_for_s(session: Session, subjects: Collection[bytes], *, per_hour: int, now: datetime) -> int:
    """Seconds until these subjects may try once more; 0 while fewer than `per_hour` of theirs are of the last hour."""
    latest = select(Attempt.tried_at).where(col(Attempt.subject).in_(subjects)).order_by(col(Attempt.tried_at).desc())
    oldest = session.exec(latest.offset(per_hour - 1).limit(1)).first()
    return max(0, math.ceil((oldest + HOUR - now).total_seconds())) if oldest else 0


def forgive(session: Session, attempt_ids: Collection[int]) -> None:
    """Deletes attempts that turned out to be in order."""
    session.exec(delete(Attempt).where(col(Attempt.id).in_(attempt_ids)))


def forget(session: Session, before: datetime) -> int:
    """Deletes attempts from before that moment; returns how many."""
    return session.exec(delete(Attempt).where(col(Attempt.tried_at) < before)).rowcount
