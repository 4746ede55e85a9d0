"""Channels and their teams."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Column, ForeignKey
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, key


class Role(StrEnum):
    """What a member is in a channel's team, from most to least."""

    OWNER = "owner"
    EDITOR = "editor"
    AUTHOR = "author"


class Channel(SQLModel, table=True):
    """Who publishes. Every account has one of its own, of the same handle; a brand's has a team."""

    id: int | None = key()
    handle: str
    title: str
    created_at: datetime = instant()


class Membership(SQLModel, table=True):
    """A person's place in a team."""

    channel_id: int = Field(sa_column=Column(BigInteger, ForeignKey("channel.id"), primary_key=True))
    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("account.id"), primary_key=True))
    role: str
    since: datetime = instant()
