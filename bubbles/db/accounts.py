"""Accounts and what lets them in, as rows."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, text, update
from sqlmodel import Session, col, delete, select
from sqlmodel.sql.expression import SelectOfScalar

from bubbles.model.account import Account, RecoveryCode, SignInLink, WebSession
from bubbles.model.passkey import Passkey
from bubbles.model.password import Password

FIRST_LOCK = 0x66697273


def by_handle(session: Session, handle: str) -> Account | None:
    """The account of a handle, unless it is closed."""
    return session.exec(_open_accounts().where(Account.handle == handle)).first()


def by_id(session: Session, account_id: int) -> Account | None:
    """An account, unless it is closed."""
    return session.exec(_open_accounts().where(Account.id == account_id)).first()


def lock(session: Session, account_id: int) -> None:
    """Lets one transaction at a time change an account's ways in, or let in by one: before any row of these is locked.

    The other way round is a deadlock, since a session that begins waits for its account.
    """
    session.exec(select(Account.id).where(Account.id == account_id).with_for_update()).one()


def keep_open(session: Session, account_id: int) -> None:
    """Lets nobody close an account before the transaction ends."""
    session.exec(select(Account.id).where(Account.id == account_id).with_for_update(read=True, key_share=True)).one()


def first(session: Session) -> Account | None:
    """The oldest account, even if it is closed: its own channel is where the command line publishes by default."""
    return session.exec(select(Account).order_by(col(Account.id)).limit(1)).first()


def lock_first(session: Session) -> None:
    """Lets one transaction at a time make the first account."""
    session.connection().execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": FIRST_LOCK})


def _open_accounts() -> SelectOfScalar[Account]:
    return select(Account).where(col(Account.closed_at).is_(None))


# Sessions


def of_web_session(session: Session, secret_hash: str, now: datetime) -> tuple[Account, WebSession] | None:
    """Whose session it is, and the session, unless it has ended or expired."""
    held = (WebSession.secret_hash == secret_hash, col(WebSession.ended_at).is_(None), WebSession.expires_at > now)
    both = select(Account, WebSession).join(WebSession).where(col(Account.closed_at).is_(None), *held)
    return session.exec(both).first()


def web_session(session: Session, secret_hash: str) -> WebSession | None:
    """The session of a cookie."""
    return session.exec(select(WebSession).where(WebSession.secret_hash == secret_hash)).first()


def web_sessions(session: Session, account_id: int, now: datetime) -> Sequence[WebSession]:
    """The sessions of an account that have neither ended nor expired, newest first."""
    live = (WebSession.account_id == account_id, col(WebSession.ended_at).is_(None), WebSession.expires_at > now)
    return session.exec(select(WebSession).where(*live).order_by(col(WebSession.id).desc())).all()


def seen(session: Session, found: WebSession, today: date) -> None:
    """Notes the day a session was used on: one write a day, without waiting for who else writes it."""
    if found.last_seen_on is None or found.last_seen_on < today:
        free = select(WebSession.id).where(WebSession.id == found.id).with_for_update(skip_locked=True)
        noted = update(WebSession).where(col(WebSession.id).in_(free)).values(last_seen_on=today)
        session.connection().execute(noted)


def has_signed_in(session: Session, account_id: int) -> bool:
    """Whether an account was signed in to, as far as that is remembered, or has a way in of its own."""
    ways = (WebSession, Password, Passkey)
    return any(session.exec(select(way).where(way.account_id == account_id).limit(1)).first() for way in ways)


def forget_devices(session: Session, now: datetime) -> int:
    """Drops the browser's and the system's names of sessions that are over; returns how many."""
    over = col(WebSession.ended_at).is_not(None) | (col(WebSession.expires_at) <= now)
    named = (col(WebSession.browser) != "") | (col(WebSession.system) != "")
    return session.exec(update(WebSession).where(over, named).values(browser="", system="")).rowcount


def forget_over(session: Session, before: datetime) -> None:
    """Deletes sessions and links that were over before that moment."""
    session.exec(delete(WebSession).where((col(WebSession.ended_at) < before) | (col(WebSession.expires_at) < before)))
    session.exec(delete(SignInLink).where((col(SignInLink.used_at) < before) | (col(SignInLink.expires_at) < before)))


# Links


def use_link(session: Session, secret_hash: str, now: datetime) -> Account | None:
    """Uses up a sign-in link: whose it is, or None when it is unknown, used or expired. The account is locked."""
    account = of_link(session, secret_hash, now)
    if account is None:
        return None
    lock(session, account.id)
    theirs = select(SignInLink).where(*_good_link(secret_hash, now)).with_for_update()
    link = session.exec(theirs.execution_options(populate_existing=True)).first()
    if link is None:
        return None
    link.used_at = now
    return by_id(session, link.account_id)


def end_links(session: Session, account_id: int, now: datetime) -> None:
    """Ends the unused links of an account."""
    theirs = (col(SignInLink.account_id) == account_id, col(SignInLink.used_at).is_(None))
    session.exec(update(SignInLink).where(*theirs, col(SignInLink.expires_at) > now).values(expires_at=now))


def of_link(session: Session, secret_hash: str, now: datetime) -> Account | None:
    """Whom a sign-in link would let in; None when it is unknown, used or expired."""
    return session.exec(_open_accounts().join(SignInLink).where(*_good_link(secret_hash, now))).first()


def _good_link(secret_hash: str, now: datetime) -> tuple[ColumnElement[bool] | bool, ...]:
    return SignInLink.secret_hash == secret_hash, col(SignInLink.used_at).is_(None), SignInLink.expires_at > now


# Passwords and recovery codes


def password(session: Session, account_id: int) -> Password | None:
    """An account's password, None when it has none."""
    return session.get(Password, account_id, populate_existing=True)


def with_password(session: Session, handle: str) -> tuple[Account | None, Password | None]:
    """The account of a handle and its password, in one look whether or not there is either."""
    both = select(Account, Password).outerjoin(Password).where(col(Account.closed_at).is_(None))
    found = session.exec(both.where(Account.handle == handle)).first()
    return (None, None) if found is None else (found[0], found[1])


def use_recovery_code(session: Session, handle: str, secret_hash: str, now: datetime) -> Account | None:
    """Uses up a recovery code: whose it is, or None when it is not of that handle, or used. The account is locked."""
    good = (RecoveryCode.secret_hash == secret_hash, col(RecoveryCode.used_at).is_(None), Account.handle == handle)
    account = session.exec(_open_accounts().join(RecoveryCode).where(*good)).first()
    if account is None:
        return None
    lock(session, account.id)
    code = session.exec(select(RecoveryCode).join(Account).where(*good).with_for_update(of=RecoveryCode)).first()
    if code is None:
        return None
    code.used_at = now
    return by_id(session, account.id)


def recovery_codes_left(session: Session, account_id: int) -> int:
    """How many recovery codes an account still has."""
    left = (RecoveryCode.account_id == account_id, col(RecoveryCode.used_at).is_(None))
    return session.exec(select(func.count()).select_from(RecoveryCode).where(*left)).one()


def forget_recovery_codes(session: Session, account_id: int) -> None:
    """Deletes all recovery codes of an account."""
    session.exec(delete(RecoveryCode).where(col(RecoveryCode.account_id) == account_id))
