"""Erasures, as rows: what is to be marked in the store, written in the transaction that erases."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from bubbles.model.erasure import BUBBLES, Erasure


def add(session: Session, blob_key: str, now: datetime, *, everywhere: bool = False) -> None:
    """Has a mark stored; doing it again changes nothing."""
    row = insert(Erasure).values(blob_key=blob_key, erased_at=now, everywhere=everywhere)
    session.connection().execute(row.on_conflict_do_nothing())


def unmarked(session: Session, *, limit: int) -> list[Erasure]:
    """Erasures whose marks are not stored yet, oldest first."""
    query = select(Erasure).where(col(Erasure.marked_at).is_(None)).order_by(col(Erasure.erased_at)).limit(limit)
    return list(session.exec(query))


def marked(session: Session, blob_keys: list[str], now: datetime) -> None:
    """Remembers that marks are stored."""
    session.exec(update(Erasure).where(col(Erasure.blob_key).in_(blob_keys)).values(marked_at=now))


def catch_up(session: Session) -> None:
    """Adds what a release that knew no marks withdrew beside this one. Reads all bubbles: for once an hour."""
    session.connection().execute(
        text(
            "INSERT INTO erasure (blob_key, erased_at)"
            " SELECT :prefix || code, withdrawn_at FROM bubble WHERE withdrawn_at IS NOT NULL ON CONFLICT DO NOTHING"
        ),
        {"prefix": BUBBLES},
    )
