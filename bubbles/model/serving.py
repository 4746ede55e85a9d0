"""A worker process that serves a queue."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Text, Uuid
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant


class Serving(SQLModel, table=True):
    """One queue of one worker process: how many of its jobs run at once, and when the process counts as dead."""

    process_id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    queue: str = Field(sa_column=Column(Text, primary_key=True))
    at_once: int
    alive_until: datetime = instant()
