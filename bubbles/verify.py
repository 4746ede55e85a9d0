"""Verify: every blob that a row names is read and compared with its SHA-256."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bubbles import scratch
from bubbles.blobs.many import many
from bubbles.blobs.store import BlobStore, Spoiled
from bubbles.db import named
from bubbles.db.engine import Database
from bubbles.db.named import Named

OnProgress = Callable[[int, int], None]


@dataclass
class Verified:
    """How many blobs were read, and which of them are not there, or hold other bytes than were put."""

    blobs: int = 0
    lost: list[str] = field(default_factory=list)
    spoiled: list[str] = field(default_factory=list)


def verify(database: Database, blobs: BlobStore, *, workdir: Path, on_progress: OnProgress) -> Verified:
    """Reads them all, a page of names at a time; temporary files lie in `workdir`. Raises `Missing("store")`."""
    with database.transaction() as session:
        wanted = named.count(session)
    found = Verified()
    with scratch.folder(workdir, "verify") as folder:
        for each, fault in many(partial(_fault, blobs, folder), named.pages(database)):
            found.blobs += 1
            if fault is not None:
                getattr(found, fault).append(each.key)
            on_progress(found.blobs, wanted)
    with database.transaction() as session:
        still = named.still(session, [*found.lost, *found.spoiled])
    # What was let go of while we read is neither.
    return Verified(found.blobs, sorted(still & {*found.lost}), sorted(still & {*found.spoiled}))


def _fault(blobs: BlobStore, folder: Path, each: Named) -> str | None:
    """`lost`, `spoiled`, or None when all is well."""
    copy = folder / each.key.replace("/", "~")
    try:
        blobs.fetch(each.key, copy, sha256=each.sha256)
    except KeyError:
        return "lost"
    except Spoiled:
        return "spoiled"
    copy.unlink()
    return None
