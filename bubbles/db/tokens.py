"""Tokens of both kinds, as rows."""

from datetime import datetime

from sqlalchemy import func, or_, update
from sqlalchemy import select as select_value
from sqlmodel import Session, col, delete, select

from bubbles.model.account import Account
from bubbles.model.times import hour_of
from bubbles.model.token import AnyToken, ScopedToken, Token


def of_secret(session: Session, secret_hash: str) -> tuple[Account, AnyToken] | None:
    """A token that is not revoked, and whose it is, unless they have left. It may have ended."""
    is_open = col(Account.closed_at).is_(None)
    plain = (Token.secret_hash == secret_hash, col(Token.revoked_at).is_(None))
    found = session.exec(select(Account, Token).join(Token).where(is_open, *plain)).first()
    if found is not None:
        return found[0], found[1]
    limited = select(Account, ScopedToken).join(ScopedToken).where(is_open, ScopedToken.secret_hash == secret_hash)
    scoped = session.exec(limited).first()
    return (scoped[0], scoped[1]) if scoped else None


def held(session: Session, account_id: int) -> list[AnyToken]:
    """The tokens of an account that are not revoked, oldest first; those that have ended among them."""
    plain = select(Token).where(Token.account_id == account_id, col(Token.revoked_at).is_(None))
    scoped = select(ScopedToken).where(ScopedToken.account_id == account_id)
    return sorted([*session.exec(plain), *session.exec(scoped)], key=lambda token: token.id)


def next_number(session: Session) -> int:
    """The next of the numbers that tokens of both kinds share."""
    sequence = func.pg_get_serial_sequence("token", "id")
    return int(session.connection().execute(select_value(func.nextval(sequence))).scalar_one())


def note_use(session: Session, token: AnyToken, now: datetime) -> None:
    """Notes the hour a token was used in: one write an hour, without waiting for who else writes it."""
    hour, table = hour_of(now), type(token)
    if token.last_used_at is None or token.last_used_at < hour:
        free = select(table.id).where(table.id == token.id).with_for_update(skip_locked=True)
        session.connection().execute(update(table).where(col(table.id).in_(free)).values(last_used_at=hour))


def revoke(session: Session, token: AnyToken, now: datetime) -> None:
    """Lets a token in no more."""
    if isinstance(token, Token):
        token.revoked_at = now
    else:
        session.delete(token)


def revoke_all(session: Session, account_id: int, now: datetime) -> None:
    """Revokes all tokens of an account, and keeps no name of any."""
    theirs = update(Token).where(col(Token.account_id) == account_id)
    session.exec(theirs.values(name="", revoked_at=func.coalesce(Token.revoked_at, now)))
    session.exec(delete(ScopedToken).where(col(ScopedToken.account_id) == account_id))


def forget_over(session: Session, before: datetime) -> None:
    """Deletes tokens that were over before that moment, and the limited ones of who has left.

    A process of the release before knows none of those when it closes an account.
    """
    session.exec(delete(Token).where(col(Token.revoked_at) < before))
    left = select(Account.id).where(col(Account.closed_at).is_not(None))
    over = or_(col(ScopedToken.expires_at) < before, col(ScopedToken.account_id).in_(left))
    session.exec(delete(ScopedToken).where(over))
