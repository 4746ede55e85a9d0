"""Uploads, as rows: what the limits are counted from, and what an Idempotency-Key is bound to."""

from datetime import datetime, timedelta

from sqlalchemy import func, text
from sqlmodel import Session, col, delete, select, update

from bubbles.model.upload import Upload


def lock_account(session: Session, account_id: int) -> None:
    """Lets one transaction at a time count and add an account's uploads."""
    session.connection().execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('upload', :id))"), {"id": account_id}
    )


def tried_since(session: Session, account_id: int, since: datetime) -> int:
    """How many uploads an account tried, the refused ones included."""
    tried = (Upload.account_id == account_id, Upload.started_at > since)
    return session.exec(select(func.count()).select_from(Upload).where(*tried)).one()


def nth_latest(session: Session, account_id: int, count: int) -> datetime | None:
    """When the `count`-th latest upload of an account began."""
    latest = select(Upload.started_at).where(Upload.account_id == account_id).order_by(col(Upload.started_at).desc())
    return session.exec(latest.offset(count - 1).limit(1)).first()


def under_way(session: Session, account_id: int, since: datetime) -> int:
    """How many of an account's uploads have not ended; those without a sign of life `since` died with their process."""
    alive = func.coalesce(Upload.seen_at, Upload.started_at) > since
    going = (Upload.account_id == account_id, alive, col(Upload.ended_at).is_(None))
    return session.exec(select(func.count()).select_from(Upload).where(*going)).one()


def of_key(session: Session, account_id: int, idempotency_key: str) -> Upload | None:
    """The upload that holds a key: under way, or accepted."""
    held = (Upload.account_id == account_id, Upload.idempotency_key == idempotency_key)
    live = col(Upload.ended_at).is_(None) | col(Upload.bubble_id).is_not(None)
    return session.exec(select(Upload).where(*held, live)).first()


def end_abandoned(session: Session, silent_since: datetime) -> int:
    """Ends uploads that gave no sign of life since: they died with their process; returns how many."""
    alive_at = func.coalesce(Upload.seen_at, Upload.started_at)
    dead = update(Upload).where(col(Upload.ended_at).is_(None), alive_at < silent_since)
    return session.exec(dead.values(ended_at=alive_at, outcome="abandoned")).rowcount


def forget(session: Session, now: datetime, *, keys_kept: timedelta) -> int:
    """Deletes uploads older than keys are kept; returns how many."""
    return session.exec(delete(Upload).where(col(Upload.started_at) < now - keys_kept)).rowcount
