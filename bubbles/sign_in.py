"""Ways in for people: one-time links, passwords and recovery codes; and the sessions that they begin.

Passkeys have a verb of their own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts
from bubbles.db.engine import Database
from bubbles.errors import Code, Refused
from bubbles.model import password as passwords
from bubbles.model.account import Account, RecoveryCode, SignInLink, Way, WebSession
from bubbles.model.password import Password

RECOVERY_CODES = 10
FRESH_FOR = timedelta(minutes=15)
"""How long after a one-time link or a recovery code a new password may be set without the present one."""

WRONG = "That handle and that secret do not belong together."
"""One sentence for a handle that is unknown and a secret that is wrong."""


# Sessions


@dataclass(frozen=True)
class Device:
    """What a person knows a session by: `Firefox`, `Android`; empty when unknown."""

    browser: str = ""
    system: str = ""


def begin_session(
    session: Session, account: Account, way: Way, *, device: Device, now: datetime, valid_for: timedelta
) -> str:
    """Lets a browser in, by the cookie that is returned; no other session ends."""
    cookie = ids.new_secret()
    begun = WebSession(
        account_id=account.id,
        secret_hash=ids.hashed(cookie),
        way=way,
        browser=device.browser,
        system=device.system,
        created_at=now,
        expires_at=now + valid_for,
    )
    session.add(begun)
    return cookie


def sign_out(session: Session, cookie: str, *, now: datetime) -> None:
    """Ends a session; an unknown one is none."""
    found = accounts.web_session(session, ids.hashed(cookie))
    if found is not None and found.ended_at is None:
        found.ended_at = now


def end_session(session: Session, account: Account, session_id: int, *, now: datetime) -> None:
    """Ends one of an account's sessions; raises `not_found` for one that is over, or another's."""
    live = accounts.web_sessions(session, account.id, now)
    found = next((each for each in live if each.id == session_id), None)
    if found is None:
        raise Refused(Code.NOT_FOUND, "There is no such session.")
    found.ended_at = now


def end_sessions(session: Session, account: Account, *, but: int | None = None, now: datetime) -> int:
    """Ends an account's sessions, all but one if its id is given; returns how many."""
    ending = [each for each in accounts.web_sessions(session, account.id, now) if each.id != but]
    for each in ending:
        each.ended_at = now
    return len(ending)


# One-time links


def new_link(session: Session, account: Account, *, now: datetime, valid_for: timedelta) -> str:
    """The secret of a link that signs in once."""
    secret = ids.new_secret()
    expires_at = now + valid_for
    session.add(
        SignInLink(account_id=account.id, secret_hash=ids.hashed(secret), created_at=now, expires_at=expires_at)
    )
    return secret


def by_link(session: Session, link_secret: str, *, now: datetime) -> Account:
    """Uses a link up; raises `not_found` when the link is unknown, used or expired."""
    account = accounts.use_link(session, ids.hashed(link_secret), now)
    if account is None:
        raise Refused(Code.NOT_FOUND, "This sign-in link is unknown, used or expired.")
    return account


# Passwords


def by_password(database: Database, handle: str, password: str) -> Account:
    """Whose handle and password these are; raises `unauthorised`, always after the time that one comparison takes."""
    with database.transaction() as session:
        account, kept = accounts.with_password(session, handle)
    is_right = passwords.matches(kept.hash if kept else passwords.NOBODYS, password)
    if account is None or kept is None or not is_right:
        raise Refused(Code.UNAUTHORISED, WRONG)
    return account


def set_password(session: Session, account: Account, kept_hash: str, *, now: datetime) -> None:
    """Gives an account a password, as `model.password.hashed` made it; the one before lets nobody in any more."""
    accounts.lock(session, account.id)
    known = accounts.password(session, account.id)
    if known is None:
        session.add(Password(account_id=account.id, hash=kept_hash, set_at=now))
    else:
        known.hash, known.set_at = kept_hash, now


def needs_present_password(begun: WebSession, kept: Password | None, *, now: datetime) -> bool:
    """Whether a new password takes the present one: not where there is none, nor just after a link or recovery code."""
    came_back = begun.way in {Way.LINK, Way.RECOVERY_CODE} and now - begun.created_at < FRESH_FOR
    return kept is not None and not came_back


# Recovery codes


def new_recovery_codes(session: Session, account: Account, *, now: datetime) -> list[str]:
    """Ten codes that sign in once each; those from before are void. They are told this once."""
    accounts.lock(session, account.id)
    accounts.forget_recovery_codes(session, account.id)
    codes = [ids.new_typed_secret() for _ in range(RECOVERY_CODES)]
    session.add_all(
        RecoveryCode(account_id=account.id, secret_hash=ids.hashed_typed(code), created_at=now) for code in codes
    )
    return codes


def by_recovery_code(session: Session, handle: str, code: str, *, now: datetime) -> Account:
    """Uses a code up; raises `unauthorised` when it is not of that handle, or used."""
    account = accounts.use_recovery_code(session, handle, ids.hashed_typed(code), now)
    if account is None:
        raise Refused(Code.UNAUTHORISED, WRONG)
    return account
