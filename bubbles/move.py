"""Move: from one store to another while serving, blob by blob, verified; broken off anywhere it is begun again.

Copied is what rows name: what nobody names is on its way out, or was put by a process that knows the new store already.
Besides that the marks of what was erased. The former store is only read; its copies stay until somebody deletes them.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from bubbles.blobs.many import many
from bubbles.blobs.moving import MovingStore, digest_of
from bubbles.blobs.store import CHUNK_BYTES, BlobStore, Spoiled, put_bytes
from bubbles.db import named
from bubbles.db.engine import Database
from bubbles.db.named import Named
from bubbles.errors import Code, Refused
from bubbles.model.erasure import PREFIX

MARK = "~"
"""Stands for `/` in the names of files that are being copied; no key holds it. Such a file that is left behind names a
blob that may have been copied after it was deleted."""

OnProgress = Callable[[int, int], None]


class Outcome(StrEnum):
    """How it stands with a blob: in the new store before, copied, let go of meanwhile, in neither store, spoiled."""

    THERE = "there"
    COPIED = "copied"
    GONE = "gone"
    LOST = "lost"
    SPOILED = "spoiled"


@dataclass(frozen=True)
class Moved:
    """What a move did: how many blobs are where they belong, how many of them it copied, and which cannot be had."""

    blobs: int
    copied: int
    lost: list[str]
    spoiled: list[str]


def move(database: Database, stores: MovingStore, *, workdir: Path, on_progress: OnProgress) -> Moved:
    """Copies to the new store what only the former one has, until nothing is left.

    `workdir` is a folder of its own on this machine's disk. Raises `Refused` when both are one store, and
    `Missing("store")`.
    """
    _require_two(stores)
    workdir.mkdir(mode=0o700, exist_ok=True)
    _finish_broken_off(database, stores.after, workdir)
    copied = _copy_marks(stores)
    while True:
        counts, bad = _round(database, stores, workdir, on_progress)
        copied += counts[Outcome.COPIED]
        if not counts[Outcome.COPIED]:  # what was accepted meanwhile, by processes that know only the former store
            return Moved(counts[Outcome.THERE], copied, bad[Outcome.LOST], bad[Outcome.SPOILED])


def _require_two(stores: MovingStore) -> None:
    """Raises `Refused` when the URLs name one store: everything would look moved."""
    key = f"probe/{secrets.token_hex(16)}"
    put_bytes(stores.after, key, key.encode())
    try:
        stores.before.size(key)
    except KeyError:
        return
    finally:
        stores.after.delete(key)
    raise Refused(Code.CONFLICT, "BUBBLES_BLOB_URL and BUBBLES_BLOB_URL_BEFORE name one and the same store.")


def _copy_marks(stores: MovingStore) -> int:
    """Copies the marks of what was erased; returns how many."""
    missing = set(stores.before.keys(PREFIX)) - set(stores.after.keys(PREFIX))
    for key in missing:
        content = b"".join(stores.before.open_range(key, 0, CHUNK_BYTES))
        put_bytes(stores.after, key, content, content_type="application/json")
    return len(missing)


def _round(
    database: Database, stores: MovingStore, workdir: Path, on_progress: OnProgress
) -> tuple[Counter[Outcome], dict[Outcome, list[str]]]:
    """Looks once at every blob that a row names, and copies those that the new store lacks."""
    with database.transaction() as session:
        wanted = named.count(session)
    counts: Counter[Outcome] = Counter()
    bad: dict[Outcome, list[str]] = {Outcome.LOST: [], Outcome.SPOILED: []}
    for each, outcome in many(partial(_move_one, database, stores, workdir), named.pages(database)):
        counts[outcome] += 1
        if outcome in bad:
            bad[outcome].append(each.key)
        on_progress(counts.total(), wanted)
    return counts, bad


def _move_one(database: Database, stores: MovingStore, workdir: Path, each: Named) -> Outcome:
    if _holds(stores.after, each):
        return Outcome.THERE
    source = workdir / each.key.replace("/", MARK)
    try:
        stores.before.fetch(each.key, source, sha256=each.sha256)
        stores.after.put(each.key, source, sha256=each.sha256, content_type=each.content_type)
        if digest_of(stores.after, each.key) != each.sha256:
            stores.after.delete(each.key)
            raise Spoiled(each.key)
    except (Spoiled, FileExistsError):
        source.unlink(missing_ok=True)
        return Outcome.SPOILED
    except KeyError:
        return _let_go(database, stores.after, each.key, source, otherwise=Outcome.LOST)
    return _let_go(database, stores.after, each.key, source, otherwise=Outcome.COPIED)


def _holds(store: BlobStore, each: Named) -> bool:
    try:
        return store.size(each.key) == each.length_bytes
    except KeyError:
        return False


def _let_go(database: Database, after: BlobStore, key: str, source: Path, *, otherwise: Outcome) -> Outcome:
    """Deletes the copy of a blob that no row names any longer: it was withdrawn while it was copied."""
    with database.transaction() as session:
        is_named = bool(named.still(session, [key]))
    if not is_named:
        after.delete(key)
    source.unlink(missing_ok=True)
    return otherwise if is_named else Outcome.GONE


def _finish_broken_off(database: Database, after: BlobStore, workdir: Path) -> None:
    """Looks again at what a move that died was copying."""
    for source in workdir.iterdir():
        _let_go(database, after, source.name.replace(MARK, "/"), source, otherwise=Outcome.COPIED)
