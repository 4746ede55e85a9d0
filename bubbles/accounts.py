"""Accounts: made and closed, and the tokens of their programs."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts, channels, invitations, passkeys
from bubbles.errors import Code, Refused
from bubbles.model.account import Account, Token
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.texts import clean_handle

FIRST_HANDLE = "owner"
TOKENS_MAX = 50


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


def first(session: Session, *, now: datetime) -> Account | None:
    """The first account, made on the first start; None once it is closed: nobody inherits what it was."""
    known = accounts.first(session)
    if known is None:
        accounts.lock_first(session)  # several processes may start at once on an empty database
        known = accounts.first(session) or create(session, FIRST_HANDLE, now=now)
    return known if known.closed_at is None else None


def require_first(session: Session, *, now: datetime) -> Account:
    """The same; raises `not_found` once it is closed."""
    account = first(session, now=now)
    if account is None:
        raise Refused(Code.NOT_FOUND, "The first account is closed: say whose this is to be.")
    return account


def close(session: Session, account: Account, *, now: datetime) -> None:
    """Shuts every way in for good; what the account published is not touched."""
    accounts.lock(session, account.id)
    account.closed_at = now
    accounts.revoke_tokens(session, account.id, now)
    invitations.end_of(session, account.id, now)
    for each in accounts.web_sessions(session, account.id, now):
        each.ended_at = now
    for passkey in passkeys.of_account(session, account.id):
        session.delete(passkey)
    accounts.forget_recovery_codes(session, account.id)
    if (kept := accounts.password(session, account.id)) is not None:
        session.delete(kept)


def new_token(session: Session, account: Account, *, now: datetime, name: str = "") -> str:
    """A token for programs; its secret is told this once. Raises `conflict` when there are enough."""
    accounts.lock(session, account.id)
    if len(accounts.tokens(session, account.id)) >= TOKENS_MAX:
        raise Refused(Code.CONFLICT, f"An account has at most {TOKENS_MAX} tokens: revoke one first.")
    secret = ids.new_secret()
    session.add(Token(account_id=account.id, secret_hash=ids.hashed(secret), name=name, created_at=now))
    return secret


def revoke_token(session: Session, account: Account, token_id: int, *, now: datetime) -> None:
    """Lets a token in no more; raises `not_found` for one that the account does not hold."""
    token = next((token for token in accounts.tokens(session, account.id) if token.id == token_id), None)
    if token is None:
        raise Refused(Code.NOT_FOUND, f"@{account.handle} holds no such token.")
    token.revoked_at = now
