"""Ways in for people: one-time links, passwords and recovery codes; and the sessions that they begin.

Passkeys have a verb of their own.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts, passkeys
from bubbles.errors import Code, Refused
from bubbles.model import password as passwords
from bubbles.model.account import Account, Device, RecoveryCode, SignInLink, Way, WebSession
from bubbles.model.password import Password

RECOVERY_CODES = 10
SESSIONS_MAX = 50
FRESH_FOR = timedelta(minutes=15)
"""How long a session is proof by itself of who sits at it."""

WRONG = "That handle and that secret do not belong together."
"""One sentence for a handle that is unknown and a secret that is wrong."""


# Sessions


def begin_session(
    session: Session, account: Account, way: Way, *, device: Device, now: datetime, valid_for: timedelta
) -> str:
    """Lets a browser in, by the cookie that is returned; past `SESSIONS_MAX` the oldest session ends."""
    for oldest in accounts.web_sessions(session, account.id, now)[SESSIONS_MAX - 1 :]:
        oldest.ended_at = now
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
    """Ends an account's sessions, all but one if its id is given; returns how many.

    Whoever is being let in meanwhile holds the account, and is waited for: their session ends, too.
    """
    accounts.lock(session, account.id)
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


def end_links(session: Session, account: Account, *, now: datetime) -> None:
    """Lets nobody in any more by a link that was not used yet."""
    accounts.end_links(session, account.id, now)


# Passwords


@dataclass(frozen=True)
class Kept:
    """What a password is compared with, outside of any transaction: it takes its time. `account_id` None: nobody's."""

    account_id: int | None
    hash: str = field(repr=False)


def kept_password(session: Session, handle: str) -> Kept:
    """What is kept for a handle; for one without a password, or that nobody has, something that takes as long."""
    account, kept = accounts.with_password(session, handle)
    return Kept(account.id, kept.hash) if account and kept else Kept(None, passwords.NOBODYS)


def by_password(session: Session, kept: Kept, *, is_right: bool) -> Account:
    """Whose password was compared; raises `unauthorised`, also for one that was changed meanwhile.

    The account is locked: no session begins beside a change of password that ends all sessions.
    """
    if kept.account_id is None or not is_right:
        raise Refused(Code.UNAUTHORISED, WRONG)
    accounts.lock(session, kept.account_id)
    account, now_kept = accounts.by_id(session, kept.account_id), accounts.password(session, kept.account_id)
    if account is None or now_kept is None or now_kept.hash != kept.hash:
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


# Proof of presence


class Proof(StrEnum):
    """What shows that it is still its owner who sits at a session."""

    NOTHING = ""
    PASSWORD = "password"  # noqa: S105 - the name of a proof
    SIGNING_IN = "sign_in"


def proof_needed(session: Session, begun: WebSession, *, now: datetime) -> Proof:
    """What is asked for before the ways in are changed: nothing just after signing in, however that was.

    Nor of who has neither password nor passkey: they came by a link, and are to make one.
    """
    if now - begun.created_at < FRESH_FOR:
        return Proof.NOTHING
    if accounts.password(session, begun.account_id) is not None:
        return Proof.PASSWORD
    return Proof.SIGNING_IN if passkeys.of_account(session, begun.account_id) else Proof.NOTHING


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
