"""Channels and their teams."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import SQLModel

from bubbles.model.columns import instant, key, reference


class Role(StrEnum):
    """What a member is in a channel's team, from most to least."""

    OWNER = "owner"
    EDITOR = "editor"
    AUTHOR = "author"


class Channel(SQLModel, table=True):
    """Who publishes. Every account has one of its own, of the same handle; a brand's has a team."""

    id: int = key()
    handle: str
    title: str
    created_at: datetime = instant()


class Membership(SQLModel, table=True):
    """A person's place in a team."""

    channel_id: int = reference("channel.id", part_of_key=True)
    account_id: int = reference("account.id", part_of_key=True)
    role: str
    since: datetime = instant()
