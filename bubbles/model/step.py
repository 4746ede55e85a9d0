"""A step of the journey that a bubble is to go through, and how far it got."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Column, DateTime, Text, func
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant, reference


class StepName(StrEnum):
    """The steps that a worker runs, in the order of the journey."""

    NORMALISE = "normalise"
    TRANSCRIBE = "transcribe"


SPOILED = "spoiled"
"""What a step waits for, and is given up for, when the store gives back other sound than it was given."""


DIED = "died"
"""Why a step is put off, or given up: what worked on it was ended from outside, or ended and could not say why."""

NO_MEMORY = "no_memory"
"""As `DIED`, when a limit of memory was reached and said so."""


class Urgency(StrEnum):
    """How much somebody waits for a step."""

    NOW = "now"  # a person has just sent the recording
    LATER = "later"  # one of many, from the command line
    AGAIN = "again"  # its words are there already


BEHIND = {Urgency.NOW: timedelta(0), Urgency.LATER: timedelta(minutes=15), Urgency.AGAIN: timedelta(minutes=30)}
"""How far a step stands behind a person's who comes at the same moment."""


BEHIND_EACH = timedelta(minutes=1)
BEHIND_AT_MOST = 60
"""How far a bubble stands behind for each other of its author's that is not done, and for how many of them at most."""


def turn_of(queued_at: datetime, duration_s: float, urgency: Urgency = Urgency.NOW, *, others: int = 0) -> datetime:
    """When a step's turn comes: the earlier first. Short before long, and who sends one before who sends many.

    `others` are the author's bubbles that are not done. It is a moment, not a rank, so that waiting counts: nothing
    that comes later than a step's turn passes it.
    """
    crowd = BEHIND_EACH * min(others, BEHIND_AT_MOST)
    return queued_at + BEHIND[urgency] + crowd + timedelta(seconds=duration_s)


class Step(SQLModel, table=True):
    """One step of one bubble.

    `turn_at` orders the queue, the earlier first, and stays the bubble's from step to step. `attempt` grows with every
    start and is the fence: a result is written only by the attempt that is the latest, while it is under way. `tries`
    are the attempts that failed, and count towards giving up; waiting for a missing part costs none. `deaths` are the
    attempts that a process died over; the first is not held against the recording. `waiting_for` names the part that is
    missing (`model`, `store`, `database`, `disk`, `decoder`), or is `spoiled`, which does cost tries; `error` says in a
    word why the last try failed. `tried_again_at` is when it was begun once more after it had been given up.

    A row goes with its bubble; a backup, a restore and a move take it along as it is, an export leaves it out.
    """

    bubble_id: int = reference("bubble.id", part_of_key=True)
    name: str = Field(sa_column=Column(Text, primary_key=True))
    queued_at: datetime = instant()
    turn_at: datetime = Field(
        default=None, sa_column=Column(DateTime(timezone=True), nullable=False, server_default=func.now())
    )
    attempt: int = 0
    tries: int = 0
    deaths: int = 0
    started_at: datetime | None = optional_instant()
    waiting_for: str | None = None
    error: str | None = None
    finished_at: datetime | None = optional_instant()
    gave_up_at: datetime | None = optional_instant()
    tried_again_at: datetime | None = optional_instant()
