"""Upkeep: what must go goes, by itself and again until it worked. Each is idempotent."""

import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from bubbles.blobs.store import BlobStore
from bubbles.db import accounts, attempts, discards, invitations, listening, passkeys, uploads
from bubbles.db.engine import Database

DISCARDS_AT_ONCE = 100
LEFTOVER_AGE = timedelta(days=1)
ATTEMPTS_KEPT = timedelta(hours=2)
OVER_KEPT = timedelta(days=30)
"""How long sessions, links, tokens and invitations that are over are remembered."""


def discard(database: Database, blobs: BlobStore, *, now: datetime) -> int:
    """Deletes doomed blobs; returns how many. Raises `Missing("store")`: they stay doomed."""
    deleted = 0
    while True:
        with database.transaction() as session:
            keys = discards.take(session, now, limit=DISCARDS_AT_ONCE)
        if not keys:
            return deleted
        for key in keys:
            blobs.delete(key)
        with database.transaction() as session:
            discards.done(session, keys)
        deleted += len(keys)


def forget(database: Database, *, now: datetime, idempotency_days: int) -> int:
    """Drops idempotency keys past their days, the visitor keys of days gone by, and what signing in leaves behind.

    Returns how many uploads, and so keys at most, are forgotten.
    """
    with database.transaction() as session:
        forgotten = uploads.forget(session, now, keys_kept=timedelta(days=idempotency_days))
        listening.forget_day_keys(session, now)
        attempts.forget(session, now - ATTEMPTS_KEPT)
        passkeys.forget_challenges(session, now)
        accounts.forget_devices(session, now)
        accounts.forget_over(session, now - OVER_KEPT)
        invitations.forget(session, now - OVER_KEPT)
    return forgotten


def sweep_files(folder: Path, *, now: datetime) -> int:
    """Deletes temporary files and folders that a crash left a day ago or more; returns how many."""
    oldest = (now - LEFTOVER_AGE).timestamp()
    old = [path for path in folder.rglob("*") if path.lstat().st_mtime < oldest] if folder.is_dir() else []
    for path in sorted(old, reverse=True):
        if path.is_dir() and not path.is_symlink():
            with contextlib.suppress(OSError):  # one that still holds something young stays
                path.rmdir()
        else:
            path.unlink(missing_ok=True)
    return len(old)
