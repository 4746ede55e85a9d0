"""Column kinds that the tables share."""

from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Identity
from sqlmodel import Field


def key() -> Any:  # Any: Field() stands for whatever the attribute's annotation says
    """A 64-bit key that the database hands out at the flush; until then it is None, whatever the annotation says."""
    return Field(default=None, sa_column=Column(BigInteger, Identity(), primary_key=True))


def instant() -> Any:
    """A moment that is always there, aware."""
    return Field(sa_column=Column(DateTime(timezone=True), nullable=False))


def optional_instant() -> Any:
    """A moment that may not have come: None until then."""
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=True))


def reference(target: str, *, part_of_key: bool = False) -> Any:
    """A row of another table, `"bubble.id"`, that must be there."""
    return Field(sa_column=Column(BigInteger, ForeignKey(target), primary_key=part_of_key, nullable=False))


def optional_reference(target: str) -> Any:
    """A row of another table, or None."""
    return Field(default=None, sa_column=Column(BigInteger, ForeignKey(target), nullable=True))
