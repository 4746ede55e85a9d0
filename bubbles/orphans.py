"""Orphans: blobs that no row names and no doom waits for. None should come to be; a lost row leaves some.

Before a database that is not the store's own, or older than the store, every blob looks like one. So none that is young
is touched, none outside the places where we put sound, and none at all when they are many.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from bubbles.blobs.store import BlobStore
from bubbles.db import discards, named
from bubbles.db.engine import Database

PREFIXES = ("recordings/", "renditions/", "probe/")
"""Where blobs lie that a row must name, or that are of use for a moment only."""

AT_ONCE = 1000
SHARE_MAX = 0.1
"""More orphans than this for each blob that a row names are not deleted by themselves: it is the rows that are lost."""

log = structlog.get_logger()


@dataclass(frozen=True)
class Looked:
    """What a look at the store has found among `blobs` that are old enough: `orphans`, and how many are doomed now."""

    blobs: int
    orphans: int
    doomed: int


def sweep(database: Database, blobs: BlobStore, *, now: datetime, age: timedelta, however_many: bool = False) -> Looked:
    """Dooms the orphans that are older than `age`: they are deleted as all that is doomed.

    Does nothing, and says so, when they are unusually many, unless `however_many`. Raises `Missing("store")`.
    """
    counted, found = 0, []
    for keys in _pages(blobs, before=now - age):
        counted += len(keys)
        with database.transaction() as session:
            found += named.unnamed(session, keys)
    if len(found) > SHARE_MAX * (counted - len(found)) and not however_many:
        log.error("orphans_kept", blobs=counted, orphans=len(found), hint="see whether the database is the right one")
        return Looked(counted, len(found), 0)
    return Looked(counted, len(found), sum(_doom(database, keys, now) for keys in _paged(iter(found))))


def _pages(blobs: BlobStore, *, before: datetime) -> Iterator[list[str]]:
    for prefix in PREFIXES:
        yield from _paged(blobs.keys(prefix, before=before))


def _paged(keys: Iterator[str]) -> Iterator[list[str]]:
    while page := list(islice(keys, AT_ONCE)):
        yield page


def _doom(database: Database, keys: list[str], now: datetime) -> int:
    with database.transaction() as session:
        discards.hold_still(session)  # what is about to be kept would look like an orphan for a moment
        doomed = named.unnamed(session, keys)
        discards.add(session, doomed, now)
    return len(doomed)
