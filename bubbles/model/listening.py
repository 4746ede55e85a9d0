"""What was sent and what was heard. No address is ever kept: a visitor is an HMAC under the day's random key."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, LargeBinary, Text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, NUMMULTIRANGE
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, reference


class DayKey(SQLModel, table=True):
    """The random key of a day (UTC), gone after 48 hours."""

    __tablename__ = "day_key"

    day: date = Field(sa_column=Column(Date, primary_key=True))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Served(SQLModel, table=True):
    """Bytes of one rendition that one visitor was sent on one day: the union of the ranges really sent."""

    bubble_id: int = reference("bubble.id", part_of_key=True)
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    day: date = Field(sa_column=Column(Date, primary_key=True))
    visitor: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    audience: str = Field(sa_column=Column(Text, primary_key=True))
    ranges: Any = Field(sa_column=Column(INT8MULTIRANGE, nullable=False))
    requests: int = 1
    last_at: datetime = instant()


class Play(SQLModel, table=True):
    """One play, as the player tells it: the union of the seconds heard, bounded by the time that passed."""

    bubble_id: int = reference("bubble.id", part_of_key=True)
    play: str = Field(sa_column=Column(Text, primary_key=True))
    visitor: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    audience: str
    heard: Any = Field(sa_column=Column(NUMMULTIRANGE, nullable=False))
    heard_s: float
    started_at: datetime = instant()
    last_at: datetime = instant()
