"""Blobs on the way out, as rows: an outbox for deletions.

A blob is doomed before it is stored, for a time when its row should long be there; the transaction that writes the row
keeps it. So nothing that a crash, a lost answer or a late withdrawal leaves in the store stays there.
"""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select, update

from bubbles.db import jobs
from bubbles.model.discard import Discard

GRACE = timedelta(hours=1)
"""From storing a blob to the row that it belongs to: far longer than that takes."""


class TooLate(Exception):
    """A blob that was to be kept is being deleted, or gone."""


def doom(session: Session, blob_keys: list[str], now: datetime) -> None:
    """Has blobs deleted after `GRACE`, unless they are kept; to be committed before they are stored."""
    _add(session, blob_keys, now + GRACE)


def keep(session: Session, blob_keys: list[str]) -> None:
    """Takes the doom back, in the transaction that writes the blobs' row; raises `TooLate`."""
    spared = delete(Discard).where(col(Discard.blob_key).in_(blob_keys), col(Discard.taken_at).is_(None))
    if session.exec(spared).rowcount != len(blob_keys):
        raise TooLate(", ".join(blob_keys))


def add(session: Session, blob_keys: list[str], now: datetime) -> None:
    """Dooms blobs in the transaction that lets go of them, and has them deleted right after."""
    if blob_keys:
        _add(session, blob_keys, now)
        jobs.enqueue(session, "discard", queue="upkeep", once=True)


def _add(session: Session, blob_keys: list[str], due_at: datetime) -> None:
    rows = insert(Discard).values([{"blob_key": key, "due_at": due_at} for key in blob_keys])
    sooner = {"due_at": func.least(Discard.due_at, rows.excluded.due_at)}
    session.connection().execute(rows.on_conflict_do_update(index_elements=["blob_key"], set_=sooner))


def take(session: Session, now: datetime, *, limit: int) -> list[str]:
    """Keys that are due, the oldest first; from then on they cannot be kept."""
    due = select(Discard.blob_key).where(Discard.due_at <= now).order_by(col(Discard.due_at)).limit(limit)
    keys = list(session.exec(due))
    session.exec(update(Discard).where(col(Discard.blob_key).in_(keys)).values(taken_at=now))
    return keys


def done(session: Session, blob_keys: list[str]) -> None:
    """Forgets keys whose blobs are deleted."""
    session.exec(delete(Discard).where(col(Discard.blob_key).in_(blob_keys)))


def forget_all(session: Session) -> None:
    """Forgets every doom: the blobs belong to a store that is no longer ours."""
    session.exec(delete(Discard))
