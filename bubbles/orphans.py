"""Orphans: blobs that no row names and no doom waits for. None should come to be; a lost row leaves some.

Before a database that is not the store's own, or older than the store, every blob looks like one. So none that is young
is touched, none outside the places where we put blobs, and no sound at all when it is much.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

import structlog

from bubbles.blobs.store import BlobStore
from bubbles.db import discards, named
from bubbles.db.engine import Database

PREFIXES = ("recordings/", "renditions/")
"""Where blobs lie that a row must name."""

PROBES = "probe/"
"""Where those lie that are of use for a moment only: they are nobody's sound, and go however many they are."""

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

    Leaves sound alone, and says so, when it is unusually much, unless `however_many`. Raises `Missing("store")`.
    """
    probes = list(blobs.keys(PROBES, before=now - age))
    counted, found = 0, []
    for keys in _pages(blobs, before=now - age):
        counted += len(keys)
        with database.transaction() as session:
            found += named.unnamed(session, keys)
    going = [*probes, *found]
    if len(found) > SHARE_MAX * (counted - len(found)) and not however_many:
        log.error("orphans_kept", blobs=counted, orphans=len(found), hint="see whether the database is the right one")
        going = probes
    doomed = sum(_doom(database, keys, now) for keys in _paged(iter(going)))
    return Looked(counted + len(probes), len(found) + len(probes), doomed)


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
