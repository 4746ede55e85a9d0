"""Accounts: made and closed, and the tokens of their programs."""

from collections.abc import Set
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from bubbles import ids
from bubbles.db import accounts, channels, invitations, known_browsers, passkeys, tokens
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.channel import Channel, Membership, Role
from bubbles.model.texts import clean_handle
from bubbles.model.token import AnyToken, Scope, ScopedToken, Token

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
    tokens.revoke_all(session, account.id, now)
    invitations.end_of(session, account.id, now)
    for each in accounts.web_sessions(session, account.id, now):
        each.ended_at = now
    for passkey in passkeys.of_account(session, account.id):
        session.delete(passkey)
    accounts.forget_recovery_codes(session, account.id)
    known_browsers.forget_of_account(session, account.id)
    if (kept := accounts.password(session, account.id)) is not None:
        session.delete(kept)


def new_token(
    session: Session,
    account: Account,
    *,
    now: datetime,
    name: str = "",
    scopes: Set[Scope] | None = None,
    valid_for: timedelta | None = None,
) -> str:
    """A token for programs; its secret is told this once. Raises `conflict` when there are enough.

    `scopes` None: for everything; `valid_for` None: without an end.
    """
    accounts.lock(session, account.id)
    if sum(not has_ended(token, now) for token in tokens.held(session, account.id)) >= TOKENS_MAX:
        raise Refused(Code.CONFLICT, f"An account has at most {TOKENS_MAX} tokens: revoke one first.")
    secret = ids.new_secret()
    if scopes is None and valid_for is None:
        session.add(Token(account_id=account.id, secret_hash=ids.hashed(secret), name=name, created_at=now))
        return secret
    limited = ScopedToken(
        id=tokens.next_number(session),
        account_id=account.id,
        secret_hash=ids.hashed(secret),
        name=name,
        scopes=None if scopes is None else sorted(scopes),
        created_at=now,
        expires_at=now + valid_for if valid_for else None,
    )
    session.add(limited)
    return secret


def has_ended(token: AnyToken, now: datetime) -> bool:
    """Whether a token is past its end."""
    return token.ends_at is not None and token.ends_at <= now


def revoke_token(session: Session, account: Account, token_id: int, *, now: datetime) -> None:
    """Lets a token in no more; raises `not_found` for one that the account does not hold."""
    token = next((token for token in tokens.held(session, account.id) if token.id == token_id), None)
    if token is None:
        raise Refused(Code.NOT_FOUND, f"@{account.handle} holds no such token.")
    tokens.revoke(session, token, now)


def token_named(session: Session, account: Account, name: str) -> int:
    """The number of a token that is told by its number or by its name; raises `not_found`, `conflict` for several."""
    held = tokens.held(session, account.id)
    found = [token.id for token in held if str(token.id) == name] or [token.id for token in held if token.name == name]
    if len(found) > 1:
        raise Refused(Code.CONFLICT, f"Several tokens bear that name: {', '.join(map(str, found))}.")
    if not found:
        raise Refused(Code.NOT_FOUND, f"@{account.handle} holds no such token.")
    return found[0]


def revoke_tokens(session: Session, account: Account, *, now: datetime) -> None:
    """Lets none of an account's tokens in any more."""
    accounts.lock(session, account.id)
    tokens.revoke_all(session, account.id, now)
