"""What was sent and what was heard. No address is ever kept: a visitor is an HMAC under the day's random key.

So is a network, which tells how many visitors may be one person's doing. When the key is gone, nobody can say whose
either was. A bubble's rows stay when it is withdrawn or its author leaves, as numbers of the channel's team, who export
them as figures; a backup holds them, a restore brings them back, and a move of sound does not touch them.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Float, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, NUMMULTIRANGE
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant, reference


class DayKey(SQLModel, table=True):
    """The random key of a day (UTC), gone after 48 hours."""

    __tablename__ = "day_key"

    day: date = Field(sa_column=Column(Date, primary_key=True))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class NetworkDay(SQLModel, table=True):
    """How many visitors of one audience a network brought a bubble on a day. Goes with the day's key, and no backup."""

    __tablename__ = "network_day"

    bubble_id: int = reference("bubble.id", part_of_key=True)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    network: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    audience: str = Field(sa_column=Column(Text, primary_key=True))
    visitors: int


class Crowd(SQLModel, table=True):
    """What visitors beyond a network's bound did with a bubble in an hour: counts, and no row of their own.

    `closed` as in `Play`. Kept, exported, backed up and restored as the other rows are.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    hour: datetime = Field(sa_column=Column(DateTime(timezone=True), primary_key=True))
    closed: bool
    downloads: int = Field(sa_column=Column(BigInteger, nullable=False))
    starts: int = Field(sa_column=Column(BigInteger, nullable=False))


class Opening(SQLModel, table=True):
    """What a figure of few people showed when it last opened: it stands until enough new people came after `as_of`.

    Kept, exported, backed up and restored as the rows are that it was counted from: whoever saw it, saw it.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    audience: str = Field(sa_column=Column(Text, primary_key=True))
    figure: str = Field(sa_column=Column(Text, primary_key=True))
    shown: float
    as_of: datetime = instant()


class Served(SQLModel, table=True):
    """Bytes of one rendition that one visitor was sent on one day: the union of the ranges really sent.

    `complete_at` is when they came to be a download. The rest is as in `Play`.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    visitor: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    audience: str = Field(sa_column=Column(Text, primary_key=True))
    ranges: Any = Field(sa_column=Column(INT8MULTIRANGE, nullable=False))
    requests: int = 1
    last_at: datetime = instant()
    network: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    network_people: int | None = Field(default=None, sa_column=Column(SmallInteger))
    closed: bool | None = Field(default=None, sa_column=Column(Boolean))
    complete_at: datetime | None = optional_instant()


class Play(SQLModel, table=True):
    """One play, as the player tells it: the union of the seconds heard, bounded by the time that passed.

    `network_people`: how many people its network counts for at most. `closed`: the bubble was not public when it began.
    `heard_before_s`: what it was credited with when the hour of `last_at` began. None in a row of a release that knew
    nothing of networks.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    play: str = Field(sa_column=Column(Text, primary_key=True))
    visitor: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    audience: str
    heard: Any = Field(sa_column=Column(NUMMULTIRANGE, nullable=False))
    heard_s: float
    started_at: datetime = instant()
    last_at: datetime = instant()
    network: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    network_people: int | None = Field(default=None, sa_column=Column(SmallInteger))
    closed: bool | None = Field(default=None, sa_column=Column(Boolean))
    heard_before_s: float | None = Field(default=None, sa_column=Column(Float))
