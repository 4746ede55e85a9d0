"""Blobs on the way out, as rows: an outbox for deletions.

A blob is doomed before it is stored, for a time when its row should long be there; the transaction that writes the row
keeps it. So nothing that a crash, a lost answer or a late withdrawal leaves in the store stays there.
"""

from datetime import datetime, timedelta

from sqlalchemy import func, text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select, update

from bubbles.db import jobs
from bubbles.model.bubble import Bubble
from bubbles.model.discard import Discard

GRACE = timedelta(hours=6)
"""From storing a blob to the row that it belongs to: far longer than that takes, and than clocks are apart."""


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


def hold_still(session: Session) -> None:
    """Lets nobody else doom or keep a blob before the transaction ends; waits for those who are at it."""
    session.connection().execute(text("LOCK TABLE discard IN SHARE ROW EXCLUSIVE MODE"))


def put_off(session: Session, blob_keys: list[str], until: datetime) -> None:
    """Has blobs that could not be deleted tried again, behind those that are due by then."""
    session.exec(update(Discard).where(col(Discard.blob_key).in_(blob_keys)).values(due_at=until))


def of_withdrawn(session: Session, now: datetime, *, after: str, limit: int) -> list[str]:
    """Keys that are not due yet, of bubbles that are withdrawn: what a step had stored already, or is storing.

    In order, those `after` a key.
    """
    code = func.split_part(Discard.blob_key, "/", 2)
    gone = select(Discard.blob_key).join(Bubble, col(Bubble.code) == code).where(col(Bubble.withdrawn_at).is_not(None))
    page = gone.where(Discard.due_at > now, Discard.blob_key > after).order_by(Discard.blob_key).limit(limit)
    return list(session.exec(page))


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
