"""Column kinds that the tables share."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Identity
from sqlmodel import Field


def key() -> Any:  # Any: Field() stands for whatever the attribute's annotation says
    """A 64-bit key that the database hands out."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def instant() -> Any:
    """A moment that is always there, aware."""
    return Field(sa_column=Column(DateTime(timezone=True), nullable=False))


def optional_instant() -> Any:
    """A moment that may not have come: None until then."""
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))
