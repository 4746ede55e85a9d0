"""A step of the journey that a bubble is to go through, and how far it got."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant, reference


class StepName(StrEnum):
    """The steps that a worker runs, in the order of the journey."""

    NORMALISE = "normalise"
    TRANSCRIBE = "transcribe"


class Step(SQLModel, table=True):
    """One step of one bubble.

    `attempt` grows with every start and is the fence: a result is written only by the attempt that is the latest.
    `tries` are the attempts that count towards giving up; waiting for a missing part costs none. `waiting_for` names
    that part (`model`, `store`, `memory`), `error` says in a word why the last try failed.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    queued_at: datetime = instant()
    attempt: int = 0
    tries: int = 0
    started_at: datetime | None = optional_instant()
    waiting_for: str | None = None
    error: str | None = None
    finished_at: datetime | None = optional_instant()
    gave_up_at: datetime | None = optional_instant()
