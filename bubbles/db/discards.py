"""Blobs on the way out, as rows."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, delete, select

from bubbles.db import jobs
from bubbles.model.discard import Discard


def add(session: Session, blob_keys: list[str], now: datetime) -> None:
    """Dooms blobs in the transaction that lets go of them, and has them deleted right after."""
    if not blob_keys:
        return
    rows = [{"blob_key": key, "since": now} for key in blob_keys]
    session.connection().execute(insert(Discard).values(rows).on_conflict_do_nothing())
    jobs.enqueue(session, "discard", queue="upkeep", once=True)


def waiting(session: Session, *, limit: int) -> list[str]:
    """Keys that are to be deleted, the oldest first."""
    return list(session.exec(select(Discard.blob_key).order_by(col(Discard.since)).limit(limit)))


def done(session: Session, blob_keys: list[str]) -> None:
    """Forgets keys whose blobs are deleted."""
    session.exec(delete(Discard).where(col(Discard.blob_key).in_(blob_keys)))
