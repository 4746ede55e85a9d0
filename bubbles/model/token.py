"""Tokens: the ways in for programs, for everything or limited."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bubbles.errors import Code, Refused
from bubbles.model.columns import instant, key, optional_instant, reference

DAYS_MAX = 3650
"""The latest end that may be given to a token; without one it has none."""


class Scope(StrEnum):
    """What a token may be limited to. Which routes each opens is in `policy.py`."""

    PUBLISH = "publish"
    EDIT = "edit"
    STATISTICS = "statistics"


class Token(SQLModel, table=True):
    """A program's way in, for everything and without an end. Only the SHA-256 of its secret is kept.

    `name` is for the person who reads the list; `last_used_at` is the hour (UTC) of its last use, None before the first
    that was noted.
    """

    id: int = key()
    account_id: int = reference("account.id")
    secret_hash: str
    name: str = ""
    created_at: datetime = instant()
    revoked_at: datetime | None = optional_instant()
    last_used_at: datetime | None = optional_instant()

    @property
    def limits(self) -> None:
        """It has none."""

    @property
    def ends_at(self) -> None:
        """It has no end."""


class ScopedToken(SQLModel, table=True):
    """A program's way in that is limited to `scopes`, in time, or both; else as `Token`.

    It lies apart from those because a process of the release before looks there alone, and would take it for one that
    opens everything for ever. `id` is of the numbers of `Token`, so that a number names one token of either kind.
    `scopes` None: everything. `expires_at` None: no end. One that is revoked is deleted, one that has ended a month
    later.

    Withdrawing a bubble and moving sound leave it alone. Closing its account deletes it. The account's archive names it
    without its secret. It is backed up, and restored as it was: one that was revoked since the backup lets in again
    until it ends; one that has ended does not.
    """

    __tablename__ = "scoped_token"

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    account_id: int = reference("account.id")
    secret_hash: str
    name: str
    scopes: list[str] | None = Field(default=None, sa_column=Column(ARRAY(Text), nullable=True))
    created_at: datetime = instant()
    expires_at: datetime | None = optional_instant()
    last_used_at: datetime | None = optional_instant()

    @property
    def limits(self) -> frozenset[Scope] | None:
        """What it opens, None: everything. A scope that only a later release knows opens nothing here."""
        return None if self.scopes is None else frozenset(scope for scope in Scope if scope in self.scopes)

    @property
    def ends_at(self) -> datetime | None:
        """When it has ended, None for one without an end."""
        return self.expires_at


AnyToken = Token | ScopedToken


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes of these names; raises `bad_request` for none at all and for one that is not known."""
    given = {name.strip() for name in names if name.strip()}
    if not given or not given <= set(Scope):
        raise Refused(Code.BAD_REQUEST, f"A scope is one of {', '.join(Scope)}; a limited token has at least one.")
    return frozenset(map(Scope, given))
