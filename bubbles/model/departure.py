"""Someone who has left, and what goes with them."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, ForeignKey
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant


class Departure(SQLModel, table=True):
    """An account that was closed by its person.

    What was published in `channel_ids`, which nobody else owns, is withdrawn, and what the account itself posted in
    `shared_ids`: channels of others whose team it was in as it left. `done_at` is set once nothing of it is left.
    """

    account_id: int = Field(sa_column=Column(BigInteger, ForeignKey("account.id"), primary_key=True))
    channel_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    shared_ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    left_at: datetime = instant()
    done_at: datetime | None = optional_instant()
