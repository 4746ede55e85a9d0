"""Upkeep: what must go goes, by itself and again until it worked. Each is idempotent."""

import contextlib
import os
from datetime import datetime, timedelta
from pathlib import Path

from bubbles import scratch
from bubbles.blobs.store import BlobStore
from bubbles.db import (
    accounts,
    attempts,
    bubbles,
    discards,
    invitations,
    known_browsers,
    listening,
    passkeys,
    tokens,
    uploads,
    withdrawn,
)
from bubbles.db.engine import Database
from bubbles.errors import Missing
from bubbles.model.known_browser import KEPT as KNOWN_KEPT
from bubbles.model.withdrawn import empty

DISCARDS_AT_ONCE = 100
RECORDINGS_AT_ONCE = 100
WITHDRAWN_AT_ONCE = 100
FAILURES_MAX = 3
TRY_AGAIN = timedelta(seconds=30)
"""Less than from one run to the next, so that what failed is tried again, behind all else that is due."""

LEFTOVER_AGE = timedelta(days=1)
ATTEMPTS_KEPT = timedelta(hours=2)
OVER_KEPT = timedelta(days=30)
"""How long sessions, links, tokens and invitations that are over are remembered."""


def discard(database: Database, blobs: BlobStore, *, now: datetime) -> int:
    """Deletes doomed blobs; returns how many. Raises `Missing("store")` when some stay doomed.

    A blob that cannot be deleted holds up no other, unless `FAILURES_MAX` of them say that the store is away.
    """
    failures, deleted = list[Missing](), 0
    _purge(database, blobs, failures, now)
    while len(failures) < FAILURES_MAX:
        with database.transaction() as session:
            keys = discards.take(session, now, limit=DISCARDS_AT_ONCE)
        if not keys:
            break
        gone = [key for key in keys if len(failures) < FAILURES_MAX and _deleted(blobs, key, failures)]
        with database.transaction() as session:
            discards.done(session, gone)
            discards.put_off(session, [key for key in keys if key not in gone], now + TRY_AGAIN)
        deleted += len(gone)
    if failures:
        raise failures[0]
    return deleted


def _purge(database: Database, blobs: BlobStore, failures: list[Missing], now: datetime) -> None:
    """Deletes what is left of withdrawn bubbles before it is due; the doom stays, for a step that is still storing.

    It is counted when it is due: until then it is deleted again and again.
    """
    after = ""
    while len(failures) < FAILURES_MAX:
        with database.transaction() as session:
            keys = discards.of_withdrawn(session, now, after=after, limit=DISCARDS_AT_ONCE)
        if not keys:
            break
        for key in keys:
            if len(failures) < FAILURES_MAX:
                _deleted(blobs, key, failures)
        after = keys[-1]


def _deleted(blobs: BlobStore, key: str, failures: list[Missing]) -> bool:
    try:
        blobs.delete(key)
    except Missing as missing:
        failures.append(missing)
        return False
    return True


def drop_old_recordings(database: Database, *, now: datetime, kept: timedelta) -> int:
    """Lets go of recordings that no rendition could be made from and nobody has tried again; returns how many."""
    dropped = 0
    while True:
        with database.transaction() as session:
            found = bubbles.with_old_recordings(session, now - kept, limit=RECORDINGS_AT_ONCE)
            discards.add(session, [str(bubble.recording_key) for bubble in found], now)
            for bubble in found:
                bubble.recording_key = None
        if not found:
            return dropped
        dropped += len(found)


def empty_withdrawn(database: Database) -> int:
    """Empties what a release that kept more of it has withdrawn, a few rows at a time; returns how many."""
    emptied, after = 0, 0
    while True:
        with database.transaction() as session:
            found = withdrawn.not_emptied(session, after=after, limit=WITHDRAWN_AT_ONCE)
            for bubble in found:
                empty(bubble)
                withdrawn.forget_course(session, bubble)
        if not found:
            return emptied
        emptied, after = emptied + len(found), found[-1].id


def forget(database: Database, *, now: datetime, idempotency_days: int) -> int:
    """Drops idempotency keys past their days, the visitor keys of days gone by, and what signing in leaves behind.

    Ends uploads that died with their process. Returns how many uploads, and so keys at most, are forgotten.
    """
    with database.transaction() as session:
        uploads.end_abandoned(session, now - LEFTOVER_AGE)
        forgotten = uploads.forget(session, now, keys_kept=timedelta(days=idempotency_days))
        listening.forget_day_keys(session, now)
        attempts.forget(session, now - ATTEMPTS_KEPT)
        passkeys.forget_challenges(session, now)
        accounts.forget_devices(session, now)
        accounts.forget_over(session, now - OVER_KEPT)
        tokens.forget_over(session, now - OVER_KEPT)
        invitations.forget(session, now - OVER_KEPT)
        known_browsers.forget_unused(session, now - KNOWN_KEPT)
    return forgotten


def sweep_files(folder: Path, *, now: datetime) -> int:
    """Deletes temporary files and folders that dead processes left, or that are a day old; returns how many.

    What others make and remove there meanwhile is no error.
    """
    swept = scratch.sweep(folder, now=now)
    oldest = (now - LEFTOVER_AGE).timestamp()
    found = (Path(base, name) for base, folders, names in os.walk(folder, topdown=False) for name in names + folders)
    old = [path for path in found if _is_older(path, oldest)]
    for path in old:
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # one that still holds something young stays
                path.rmdir()
        else:
            path.unlink(missing_ok=True)
    return swept + len(old)


def _is_older(path: Path, timestamp: float) -> bool:
    try:
        return path.lstat().st_mtime < timestamp
    except FileNotFoundError:
        return False
