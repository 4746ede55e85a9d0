"""Accounts and the ways in, as rows."""

from datetime import datetime

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bubbles.model.account import Account, SignInLink, Token, WebSession


def by_handle(session: Session, handle: str) -> Account | None:
    """The account of a handle, unless it is closed."""
    return session.exec(select(Account).where(Account.handle == handle, col(Account.closed_at).is_(None))).first()


def first(session: Session) -> Account | None:
    """The oldest account: its own channel is where the command line publishes by default."""
    return session.exec(select(Account).where(col(Account.closed_at).is_(None)).order_by(col(Account.id))).first()


def of_token(session: Session, secret_hash: str) -> Account | None:
    """Who holds a token that is not revoked."""
    held = (Token.secret_hash == secret_hash, col(Token.revoked_at).is_(None))
    return session.exec(_open_accounts().join(Token).where(*held)).first()


def of_web_session(session: Session, secret_hash: str, now: datetime) -> Account | None:
    """Who holds a session that has neither ended nor expired."""
    held = (WebSession.secret_hash == secret_hash, col(WebSession.ended_at).is_(None), WebSession.expires_at > now)
    return session.exec(_open_accounts().join(WebSession).where(*held)).first()


def web_session(session: Session, secret_hash: str) -> WebSession | None:
    """The session of a cookie."""
    return session.exec(select(WebSession).where(WebSession.secret_hash == secret_hash)).first()


def has_signed_in(session: Session, account_id: int) -> bool:
    """Whether an account was ever signed in to."""
    return session.exec(select(WebSession).where(WebSession.account_id == account_id)).first() is not None


def use_link(session: Session, secret_hash: str, now: datetime) -> Account | None:
    """Uses up a sign-in link: whose it is, or None when it is unknown, used or expired. The row is locked."""
    link = session.exec(
        select(SignInLink)
        .where(SignInLink.secret_hash == secret_hash, col(SignInLink.used_at).is_(None), SignInLink.expires_at > now)
        .with_for_update()
    ).first()
    if link is None:
        return None
    link.used_at = now
    return session.exec(_open_accounts().where(Account.id == link.account_id)).first()


def link_is_good(session: Session, secret_hash: str, now: datetime) -> bool:
    """Whether a sign-in link could still be used."""
    good = (SignInLink.secret_hash == secret_hash, col(SignInLink.used_at).is_(None), SignInLink.expires_at > now)
    return session.exec(select(SignInLink).where(*good)).first() is not None


def _open_accounts() -> SelectOfScalar[Account]:
    return select(Account).where(col(Account.closed_at).is_(None))
