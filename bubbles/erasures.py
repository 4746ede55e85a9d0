"""Erasures: a mark in the store for all that is withdrawn or closed, so that no older backup brings it back.

A mark says which bubble (by its code) or account (by its number and the moment it was made) and when; nothing of what
it held, nor who it was.
"""

import json
import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass
from datetime import datetime

from bubbles.blobs.store import BlobStore, put_bytes
from bubbles.db import erasures
from bubbles.db.engine import Database
from bubbles.errors import Missing
from bubbles.model.erasure import PREFIX, Erasure

AT_ONCE = 100
A_MINUTE = 1000
"""How many upkeep stores at a time, so that nothing else of upkeep waits for long."""

MARK_MAX_BYTES = 1000


@dataclass(frozen=True)
class Mark:
    """What a mark says; `key` as in `model.erasure`."""

    key: str
    erased_at: datetime
    everywhere: bool


def mark(database: Database, blobs: BlobStore, *, now: datetime, at_most: int = sys.maxsize) -> int:
    """Stores the marks that are due, oldest first; returns how many. Raises `Missing("store")`: they stay due."""
    count = 0
    while count < at_most:
        with database.transaction() as session:
            due = erasures.unmarked(session, limit=min(AT_ONCE, at_most - count))
        if not due:
            break
        for each in due:
            put(blobs, _mark(each))
        with database.transaction() as session:
            erasures.marked(session, [each.blob_key for each in due], now)
        count += len(due)
    return count


def _mark(row: Erasure) -> Mark:
    return Mark(row.blob_key, row.erased_at, row.everywhere)


def catch_up(database: Database) -> None:
    """Has marked what a release that knew no marks has withdrawn."""
    with database.transaction() as session:
        erasures.catch_up(session)


def put(blobs: BlobStore, each: Mark) -> None:
    """Stores a mark; one that is there already stays as it is."""
    told = {"erased_at": each.erased_at.isoformat(), "everywhere": each.everywhere}
    try:
        put_bytes(blobs, each.key, json.dumps(told).encode(), content_type="application/json")
    except FileExistsError:
        return


def keys(blobs: BlobStore) -> set[str]:
    """The keys of all marks in a store."""
    return set(blobs.keys(PREFIX))


def read(blobs: BlobStore, *, known: Set[str] = frozenset()) -> Iterator[Mark]:
    """The marks of a store but those `known`, accounts first: what they take along goes with them.

    Raises `Missing("store")` for one that cannot be read: what it names must not come back.
    """
    for key in sorted(keys(blobs) - known):
        yield _told(key, b"".join(blobs.open_range(key, 0, MARK_MAX_BYTES)))


def _told(key: str, content: bytes) -> Mark:
    try:
        told = json.loads(content)
        return Mark(key, datetime.fromisoformat(told["erased_at"]), bool(told["everywhere"]))
    except (ValueError, KeyError, TypeError):
        detail = f"The mark {key} is damaged: take it from another backup, or write when it was erased as others do."
        raise Missing("store", detail) from None
