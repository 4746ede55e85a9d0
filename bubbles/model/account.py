"""Accounts, and the ways in: tokens for programs, sessions for browsers, one-time links for people."""

from datetime import datetime

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, optional_instant, reference


class Account(SQLModel, table=True):
    """A person, or a program, who may act. `handle` is public and unique, also among channels."""

    id: int = key()
    handle: str
    created_at: datetime = instant()
    closed_at: datetime | None = optional_instant()


class Token(SQLModel, table=True):
    """A program's way in. Only the SHA-256 of its secret is kept."""

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    created_at: datetime = instant()
    revoked_at: datetime | None = optional_instant()


class WebSession(SQLModel, table=True):
    """A browser's way in. Only the SHA-256 of the cookie is kept."""

    __tablename__ = "web_session"

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    created_at: datetime = instant()
    expires_at: datetime = instant()
    ended_at: datetime | None = optional_instant()


class SignInLink(SQLModel, table=True):
    """A link that signs one person in, once."""

    __tablename__ = "sign_in_link"

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    created_at: datetime = instant()
    expires_at: datetime = instant()
    used_at: datetime | None = optional_instant()
