"""Blobs that must go: written with the change that dooms them, deleted right after, again until it worked."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant


class Discard(SQLModel, table=True):
    """A blob's key on the way out."""

    blob_key: str = Field(sa_column=Column(Text, primary_key=True))
    since: datetime = instant()
