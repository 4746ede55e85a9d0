"""Accounts: made, and let in by token, by one-time link and by session."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts, channels
from bubbles.errors import Code, Refused
from bubbles.model.account import Account, SignInLink, Token, WebSession
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.texts import clean_handle

FIRST_HANDLE = "owner"


def create(session: Session, handle: str, *, now: datetime) -> Account:
    """An account with a channel of its own; raises `conflict` when the handle is taken, `bad_text`."""
    handle = clean_handle(handle)
    if accounts.by_handle(session, handle) or channels.by_handle(session, handle):
        raise Refused(Code.CONFLICT, f"@{handle} is taken.")
    account, channel = Account(handle=handle, created_at=now), Channel(handle=handle, title=handle, created_at=now)
    try:
        with session.begin_nested():
            session.add_all([account, channel])
    except IntegrityError:  # another process took it just now
        raise Refused(Code.CONFLICT, f"@{handle} is taken.") from None
    session.add(Membership(channel_id=channel.id, account_id=account.id, role=Role.OWNER, since=now))
    session.flush()
    return account


def require(session: Session, handle: str) -> Account:
    """The account of a handle; raises `not_found`."""
    account = accounts.by_handle(session, clean_handle(handle))
    if account is None:
        raise Refused(Code.NOT_FOUND, f"There is no account @{handle}.")
    return account


def first(session: Session, *, now: datetime) -> Account:
    """The first account, made on the first start."""
    return accounts.first(session) or create(session, FIRST_HANDLE, now=now)


def new_token(session: Session, account: Account, *, now: datetime) -> str:
    """A token for programs; its secret is told this once."""
    secret = ids.new_secret()
    session.add(Token(account_id=account.id, secret_hash=ids.hashed(secret), created_at=now))
    return secret


def new_link(session: Session, account: Account, *, now: datetime, valid_for: timedelta) -> str:
    """The secret of a link that signs in once."""
    secret = ids.new_secret()
    expires_at = now + valid_for
    session.add(
        SignInLink(account_id=account.id, secret_hash=ids.hashed(secret), created_at=now, expires_at=expires_at)
    )
    return secret


@dataclass(frozen=True)
class SignedIn:
    """A new session's cookie, and whose it is."""

    cookie: str
    handle: str


def sign_in(session: Session, link_secret: str, *, now: datetime, valid_for: timedelta) -> SignedIn:
    """Uses a link up for a session; raises `not_found` when the link is unknown, used or expired."""
    account = accounts.use_link(session, ids.hashed(link_secret), now)
    if account is None:
        raise Refused(Code.NOT_FOUND, "This sign-in link is unknown, used or expired.")
    cookie = ids.new_secret()
    expires_at = now + valid_for
    session.add(
        WebSession(account_id=account.id, secret_hash=ids.hashed(cookie), created_at=now, expires_at=expires_at)
    )
    return SignedIn(cookie, account.handle)


def sign_out(session: Session, cookie: str, *, now: datetime) -> None:
    """Ends a session; an unknown one is none."""
    found = accounts.web_session(session, ids.hashed(cookie))
    if found is not None and found.ended_at is None:
        found.ended_at = now
