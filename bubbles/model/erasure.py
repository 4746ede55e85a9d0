"""What is erased for good, and must not come back with a backup that is older."""

from datetime import UTC, datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from bubbles.model.columns import instant, optional_instant

PREFIX = "erasures/"
"""Where the store keeps the marks of what was erased. They belong to no row: sweeps spare them."""

BUBBLES, ACCOUNTS = f"{PREFIX}bubbles/", f"{PREFIX}accounts/"


class Erasure(SQLModel, table=True):
    """A withdrawn bubble or a closed account, for the mark that tells backups of it.

    `blob_key` is that of the mark, `marked_at` when it was stored. `everywhere`: an account that took along what it
    had posted in channels of others.
    """

    blob_key: str = Field(sa_column=Column(Text, primary_key=True))
    erased_at: datetime = instant()
    everywhere: bool = False
    marked_at: datetime | None = optional_instant()


def of_bubble(code: str) -> str:
    """The key of a bubble's mark."""
    return f"{BUBBLES}{code}"


def of_account(account_id: int, created_at: datetime) -> str:
    """The key of an account's mark.

    The moment tells it from another that bears the same number: after a restore numbers are handed out again.
    """
    return f"{ACCOUNTS}{account_id}-{created_at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
