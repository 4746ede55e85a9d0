"""Accounts, and what lets people in again: sessions for browsers, one-time links, recovery codes."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, optional_instant, reference


class Account(SQLModel, table=True):
    """A person, or a program, who may act. `handle` is public and unique, also among channels."""

    id: int = key()
    handle: str
    created_at: datetime = instant()
    closed_at: datetime | None = optional_instant()
    terms_agreed_at: datetime | None = optional_instant()


class Way(StrEnum):
    """How a session began."""

    SIGN_UP = "sign_up"
    PASSWORD = "password"  # noqa: S105 - the name of a way
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery_code"
    LINK = "link"


@dataclass(frozen=True)
class Device:
    """What a person knows a browser by: `Firefox`, `Android`; empty when unknown."""

    browser: str = ""
    system: str = ""


class WebSession(SQLModel, table=True):
    """A browser's way in. Only the SHA-256 of the cookie is kept.

    Its owner knows it by `browser` and `system` ("Firefox", "Android"; empty when unknown) and by the day (UTC) it was
    last seen on, None before it was used. Where it is used from is not kept.
    """

    __tablename__ = "web_session"

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    way: str = Way.LINK
    browser: str = ""
    system: str = ""
    created_at: datetime = instant()
    expires_at: datetime = instant()
    last_seen_on: date | None = None
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


class RecoveryCode(SQLModel, table=True):
    """One of the ten codes that a person keeps on paper; signs in once."""

    __tablename__ = "recovery_code"

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    created_at: datetime = instant()
    used_at: datetime | None = optional_instant()
