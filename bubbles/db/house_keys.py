"""The keys that all machines of a house share: each is made once, by the revision that brings it."""

import time
from weakref import WeakKeyDictionary

from sqlalchemy import Column, Engine, LargeBinary, Text
from sqlmodel import Field, Session, SQLModel

from bubbles.errors import Missing

CURSORS = "cursors"
KNOWN_FOR_S = 60.0
"""How long a process goes by a key before it reads it again: a restore may have brought another."""

_known: WeakKeyDictionary[Engine, dict[str, tuple[bytes, float]]] = WeakKeyDictionary()


class HouseKey(SQLModel, table=True):
    """A random key by what it is for. It says nothing of anybody: nobody's leaving changes it.

    Backups hold it, so that it is the same after a restore; a store that moves has nothing to do with it.
    """

    __tablename__ = "house_key"

    name: str = Field(sa_column=Column(Text, primary_key=True))
    secret: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


def of(session: Session, name: str) -> bytes:
    """The key, at most `KNOWN_FOR_S` old. Raises `Missing("database")` where somebody took it away."""
    known = _known.setdefault(session.get_bind().engine, {})
    secret, until_s = known.get(name, (b"", 0.0))
    if time.monotonic() >= until_s:
        secret = _read(session, name)
        known[name] = secret, time.monotonic() + KNOWN_FOR_S
    return secret


def _read(session: Session, name: str) -> bytes:
    if (found := session.get(HouseKey, name, populate_existing=True)) is None:
        raise Missing("database", f"The table house_key lacks the key {name}: restore it from a backup.")
    return found.secret
