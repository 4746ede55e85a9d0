"""Signs of a proxy that is not named: what one web process saw in one hour."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Uuid
from sqlmodel import Field, SQLModel

ENOUGH = 50
"""Requests of an hour from which something follows about where they come from: fewer may be one person at work."""


class Front(SQLModel, table=True):
    """Counts of an hour, and no address: whether something stands in front that the settings do not name.

    `forwarded` are requests that bore `X-Forwarded-For` or `Forwarded` from a peer that is not trusted,
    `forwarded_near` those of them from a private address. `is_one_private`: whether all came from one address, and that
    a private one. It says nothing of anybody: withdrawing, closing, export and moving pass it by, and a row is gone
    after a day, one that a backup has brought back too.
    """

    process_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    requests: int = Field(sa_column=Column(BigInteger, nullable=False))
    forwarded: int = Field(sa_column=Column(BigInteger, nullable=False))
    forwarded_near: int = Field(sa_column=Column(BigInteger, nullable=False))
    is_one_private: bool
