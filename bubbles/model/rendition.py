"""A playable file that we made from a recording."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Text
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, reference

MEDIA_TYPES = {"m4a": "audio/mp4", "ogg": "audio/ogg"}
"""The kinds of rendition, best supported first, and how they are served."""


class Rendition(SQLModel, table=True):
    """`minute_bytes` is what covers the header and one minute of sound: what a download must have been sent."""

    bubble_id: int = reference("bubble.id", part_of_key=True)
    kind: str = Field(sa_column=Column(Text, primary_key=True))
    blob_key: str
    length_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    sha256: str
    minute_bytes: int = Field(sa_column=Column(BigInteger, nullable=False))
    created_at: datetime = instant()
