"""Move: from one store to another while serving, blob by blob, verified; broken off anywhere it is begun again.

Copied is what rows name: what nobody names is on its way out, or was put by a process that knows the new store already.
Besides that the marks of what was erased. The former store is only read; its copies stay until somebody deletes them.
"""

import secrets
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path

from bubbles import scratch
from bubbles.blobs.many import many
from bubbles.blobs.moving import MovingStore, digest_of
from bubbles.blobs.store import CHUNK_BYTES, BlobStore, Spoiled, put_bytes
from bubbles.db import named
from bubbles.db.engine import Database
from bubbles.db.named import Named
from bubbles.errors import Code, Missing, Refused
from bubbles.model.erasure import PREFIX

MARK = "~"
"""Stands for `/` in the names of the notes on what is being copied; no key holds it. A note that is left behind names a
blob that may have been copied after it was deleted, and that nobody may have read back. It holds no sound."""

OnProgress = Callable[[int, int], None]


class Outcome(StrEnum):
    """How it stands with a blob: in the new store before, copied, let go of meanwhile, in neither store, spoiled in the
    former one."""

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


def move(database: Database, stores: MovingStore, *, notes: Path, workdir: Path, on_progress: OnProgress) -> Moved:
    """Copies to the new store what only the former one has, until nothing is left.

    `notes` is a folder of its own on this machine's disk, which outlives a move that dies; copies pass through
    `workdir`, where what is left behind is swept. Raises `Refused` when both are one store, and
    `Missing("store" | "disk")`, also for a new store that does not give back what it was given.
    """
    _require_two(stores)
    notes.mkdir(mode=0o700, exist_ok=True)
    _let_go_of_broken_off(database, stores.after, notes)
    copied = _copy_marks(stores)
    while True:
        with scratch.folder(workdir, "move") as folder:
            counts, bad = _round(database, stores, _Desk(notes, folder), on_progress)
        _let_go_of_broken_off(database, stores.after, notes)
        copied += counts[Outcome.COPIED]
        if not counts[Outcome.COPIED]:  # what was accepted meanwhile, by processes that know only the former store
            return Moved(counts[Outcome.THERE], copied, bad[Outcome.LOST], bad[Outcome.SPOILED])


@dataclass(frozen=True)
class _Desk:
    """The folder of the notes, and the one of the copies."""

    notes: Path
    copies: Path

    def of(self, key: str) -> tuple[Path, Path]:
        """A blob's note and its copy."""
        name = key.replace("/", MARK)
        return self.notes / name, self.copies / name


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
    database: Database, stores: MovingStore, desk: _Desk, on_progress: OnProgress
) -> tuple[Counter[Outcome], dict[Outcome, list[str]]]:
    """Looks once at every blob that a row names, and copies those that the new store lacks."""
    with database.transaction() as session:
        wanted = named.count(session)
    counts: Counter[Outcome] = Counter()
    bad: dict[Outcome, list[str]] = {Outcome.LOST: [], Outcome.SPOILED: []}
    for each, outcome in many(partial(_move_one, database, stores, desk), named.pages(database)):
        counts[outcome] += 1
        if outcome in bad:
            bad[outcome].append(each.key)
        on_progress(counts.total(), wanted)
    return counts, bad


def _move_one(database: Database, stores: MovingStore, desk: _Desk, each: Named) -> Outcome:
    note, copy = desk.of(each.key)
    if _holds(stores.after, each) and (not note.exists() or _is_proven(stores.after, each)):
        note.unlink(missing_ok=True)
        return Outcome.THERE
    note.touch(mode=0o600)
    try:
        stores.before.fetch(each.key, copy, sha256=each.sha256)
        is_proven = _put(stores.after, each, copy)
    except Spoiled:
        note.unlink(missing_ok=True)
        return Outcome.SPOILED
    except KeyError:
        return _let_go(database, stores.after, each.key, note, otherwise=Outcome.LOST)
    finally:
        copy.unlink(missing_ok=True)
    outcome = _let_go(database, stores.after, each.key, note, otherwise=Outcome.COPIED)
    if outcome is Outcome.COPIED and not is_proven:  # the next would fare no better
        raise Missing("store", f"The new store gives other bytes for {each.key} than it was given; see its log.")
    return outcome


def _holds(store: BlobStore, each: Named) -> bool:
    try:
        return store.size(each.key) == each.length_bytes
    except KeyError:
        return False


def _put(after: BlobStore, each: Named, copy: Path) -> bool:
    """Puts a blob and reads it back: whether the new store gives it as it is."""
    with suppress(FileExistsError):  # what else has its key is read, and goes
        after.put(each.key, copy, sha256=each.sha256, content_type=each.content_type)
    return _is_proven(after, each)


def _is_proven(after: BlobStore, each: Named) -> bool:
    """Whether the new store gives a blob as it is; else it is deleted there: the former store has it."""
    with suppress(KeyError):
        if digest_of(after, each.key) == each.sha256:
            return True
        after.delete(each.key)
    return False


def _let_go(database: Database, after: BlobStore, key: str, note: Path, *, otherwise: Outcome) -> Outcome:
    """Deletes the copy of a blob that no row names any longer: it was withdrawn while it was copied."""
    with database.transaction() as session:
        is_named = bool(named.still(session, [key]))
    if not is_named:
        after.delete(key)
    note.unlink(missing_ok=True)
    return otherwise if is_named else Outcome.GONE


def _let_go_of_broken_off(database: Database, after: BlobStore, notes: Path) -> None:
    """Looks again at what a move that died was copying. What rows still name is read back in its turn."""
    left = {note.name.replace(MARK, "/"): note for note in notes.iterdir()}
    with database.transaction() as session:
        is_named = named.still(session, [*left])
    for key in left.keys() - is_named:
        after.delete(key)
        left[key].unlink(missing_ok=True)
