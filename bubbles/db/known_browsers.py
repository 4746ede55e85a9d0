"""Known browsers, as rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, select, update

from bubbles.model.account import Account
from bubbles.model.known_browser import KnownBrowser


def of_handle(session: Session, secret_hash: str, handle: str, since: datetime) -> KnownBrowser | None:
    """The row of a cookie and of the open account of a handle, if there was a sign-in since that moment."""
    theirs = (KnownBrowser.secret_hash == secret_hash, KnownBrowser.used_at > since)
    whose = (Account.handle == handle, col(Account.closed_at).is_(None))
    return session.exec(select(KnownBrowser).join(Account).where(*theirs, *whose)).first()


def by_secret(session: Session, secret_hash: str, account_id: int) -> KnownBrowser | None:
    """The row of a cookie and an account."""
    both = (KnownBrowser.secret_hash == secret_hash, KnownBrowser.account_id == account_id)
    return session.exec(select(KnownBrowser).where(*both)).first()


def of_account(session: Session, account_id: int, since: datetime) -> Sequence[KnownBrowser]:
    """The browsers of an account that it was signed in to since that moment, the latest first."""
    theirs = (KnownBrowser.account_id == account_id, KnownBrowser.used_at > since)
    latest = (col(KnownBrowser.used_at).desc(), col(KnownBrowser.id).desc())
    return session.exec(select(KnownBrowser).where(*theirs).order_by(*latest)).all()


def first_of(session: Session, secret_hash: str, since: datetime) -> KnownBrowser | None:
    """A row of a cookie, whoever's, that was used since that moment: the one made first."""
    known = select(KnownBrowser).join(Account).where(col(Account.closed_at).is_(None))
    its = (KnownBrowser.secret_hash == secret_hash, KnownBrowser.used_at > since)
    return session.exec(known.where(*its).order_by(col(KnownBrowser.id)).limit(1)).first()


def move(session: Session, secret_hash: str, to: str) -> None:
    """Has all accounts of a cookie go by another cookie."""
    session.exec(update(KnownBrowser).where(col(KnownBrowser.secret_hash) == secret_hash).values(secret_hash=to))


def trim(session: Session, account_id: int, *, keep: int) -> None:
    """Deletes all but the latest browsers of an account; those that somebody else is deleting are passed over."""
    latest = (col(KnownBrowser.used_at).desc(), col(KnownBrowser.id).desc())
    theirs = select(KnownBrowser.id).where(KnownBrowser.account_id == account_id).order_by(*latest).offset(keep)
    session.exec(delete(KnownBrowser).where(col(KnownBrowser.id).in_(theirs.with_for_update(skip_locked=True))))


def forget_cookie(session: Session, secret_hash: str) -> None:
    """Deletes the rows of a cookie, whoever's."""
    session.exec(delete(KnownBrowser).where(col(KnownBrowser.secret_hash) == secret_hash))


def forget_of_account(session: Session, account_id: int, *, but: str = "") -> None:
    """Deletes the rows of an account, but for those of the cookie `but` (its SHA-256)."""
    theirs = (col(KnownBrowser.account_id) == account_id, col(KnownBrowser.secret_hash) != but)
    session.exec(delete(KnownBrowser).where(*theirs))


def forget_unused(session: Session, before: datetime) -> None:
    """Deletes what was last used before that moment, and what closed accounts left: a release before leaves some."""
    closed = select(Account.id).where(col(Account.closed_at).is_not(None))
    is_over = (col(KnownBrowser.used_at) <= before) | col(KnownBrowser.account_id).in_(closed)
    session.exec(delete(KnownBrowser).where(is_over))
