"""Blobs that must go, unless the transaction that needs them keeps them in time."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant


class Discard(SQLModel, table=True):
    """A blob's key on the way out: deleted from `due_at` on, past saving from `taken_at` on."""

    blob_key: str = Field(sa_column=Column(Text, primary_key=True))
    due_at: datetime = instant()
    taken_at: datetime | None = optional_instant()
