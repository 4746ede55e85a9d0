"""What runs by itself, and how it last went."""

from datetime import datetime

from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant


class Chore(SQLModel, table=True):
    """One chore of the house, whichever worker ran it.

    `ran_at` is when it last ended, well or not, `failed_at` when it last ended badly. `latest` are the counts of that
    run by what was counted, `totals` those of all runs.
    """

    name: str = Field(sa_column=Column(Text, primary_key=True))
    ran_at: datetime = instant()
    took_s: float = 0.0
    failed_at: datetime | None = optional_instant()
    latest: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
    totals: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSONB, nullable=False))
