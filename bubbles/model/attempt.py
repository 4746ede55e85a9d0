"""What may be done only so often, and is counted: above all attempts to get in."""

from datetime import datetime

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, key


class Attempt(SQLModel, table=True):
    """One attempt; `subject` is a pseudonym of the day, of the handle that was typed or the network it came from.

    Or it names the bubble whose words are written down again.
    """

    id: int = key()
    subject: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    tried_at: datetime = instant()
