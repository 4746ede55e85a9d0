"""Restore: a backup into an empty place, which opens once all of it is done.

Everything is looked at before anything is written: the set's digests, and that every blob is there. Then come the
blobs, each verified, the database in one transaction, its newest schema, and what was erased since. A mark in the
database keeps everybody out until the end; after a crash the same command goes on.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import structlog
from sqlmodel import Session

from bubbles import erasures, leave, moderation
from bubbles.app import House
from bubbles.archive import Archive, BackupSet, Manifest, OnProgress
from bubbles.blobs.store import BlobStore
from bubbles.db import bubbles, discards, dump, named, restored
from bubbles.db.engine import revisions
from bubbles.db.named import Named, code_of
from bubbles.erasures import Mark
from bubbles.errors import Code, Refused
from bubbles.model.account import Account
from bubbles.model.erasure import ACCOUNTS, BUBBLES, PREFIX, of_account

AT_ONCE = 8
BATCH = 500
EXAMPLES = 5
SPARED = (PREFIX, "probe/")
"""What an empty store may hold: marks, and what a probe of it left that was killed."""

REASON = "it was withdrawn before"
log = structlog.get_logger()


@dataclass(frozen=True)
class Restored:
    """What came back: the backup's name and manifest, how many bubbles were erased again, which blobs are not there."""

    name: str
    manifest: Manifest
    erased: int
    absent: list[str]


def restore(
    house: House,
    folder: Path,
    *,
    name: str = "",
    with_blobs: bool = True,
    former: BlobStore | None = None,
    on_progress: OnProgress = lambda _, __: None,
) -> Restored:
    """Brings back the backup of that `name`, or the newest. The house's database is not migrated yet.

    Without blobs the store is taken as it is, and only looked into. `former` is a store whose marks of what was
    erased count too. Raises `conflict`, `not_found`, `Missing("store" | "database")`; to be called again after those.
    """
    with Archive.held(folder) as archive:
        chosen = archive.choose(name)
        manifest = chosen.manifest()
        _require_revision(manifest)
        marks = _marks(archive.blobs, house.blobs, *([former] if former else []))
        wanted = _Wanted(chosen, manifest, marks)
        if with_blobs:
            _require_blobs(archive, wanted)
            _require_room(house.blobs, wanted)
        if dump.is_loading(house.database):
            raise Refused(Code.CONFLICT, "An earlier restore is still loading the database: wait until it has ended.")
        loaded = restored.begin(house.database, manifest.dump_sha256)
        for mark in marks:
            erasures.put(house.blobs, mark)
        absent = _put_all(house.blobs, archive, wanted, on_progress) if with_blobs else _absent(house.blobs, wanted)
        if not loaded:
            dump.load(house.database, chosen.dump)
        house.database.migrate(restoring=True)
        absent += manifest.gone + manifest.lost
        _reconcile(house, absent, kept_store=not with_blobs)
        erased = _erase_all(house, marks)
        absent = _still_named(house, absent)
        restored.end(house.database)
    log.info("restored", set=chosen.folder.name, bubbles=manifest.bubbles, erased=erased, absent=len(absent))
    return Restored(chosen.folder.name, manifest, erased, absent)


class _Wanted:
    """The blobs that are to come back: those of the set, less what was gone by then, and what was erased since."""

    def __init__(self, chosen: BackupSet, manifest: Manifest, marks: list[Mark]) -> None:
        self._chosen = chosen
        self._not = {*manifest.gone, *manifest.lost}
        self._erased = {mark.key.removeprefix(BUBBLES) for mark in marks}
        self.holds_blobs = manifest.holds_blobs
        self.count = manifest.blobs

    def __iter__(self) -> Iterator[Named]:
        for each in self._chosen.named():
            if each.key not in self._not and each.code not in self._erased:
                yield each


def _require_revision(manifest: Manifest) -> None:
    if manifest.revision not in revisions():
        raise Refused(Code.CONFLICT, "The backup is of a newer release of Bubbles: restore it with that.")


def _require_blobs(archive: Archive, wanted: _Wanted) -> None:
    if not wanted.holds_blobs:
        sentence = "The backup was made without blobs: bring the store back first, then restore with --no-blobs."
        raise Refused(Code.CONFLICT, sentence)
    missing = [each.key for each in wanted if not archive.holds(each)]
    if missing:
        raise Refused(Code.CONFLICT, f"The backup is damaged: it lacks {len(missing)} blobs, such as {_some(missing)}.")


def _require_room(blobs: BlobStore, wanted: _Wanted) -> None:
    """The store holds nothing, or what this very restore has put there before it was broken off."""
    ours = {each.key for each in wanted}
    other = next((key for key in blobs.keys("") if key not in ours and not key.startswith(SPARED)), None)
    if other is not None:
        raise Refused(
            Code.CONFLICT,
            f"The store is not empty, it holds {other}: name an empty one (BUBBLES_BLOB_URL), "
            "or keep what it holds with --no-blobs.",
        )


def _some(keys: Iterable[str]) -> str:
    return ", ".join(islice(keys, EXAMPLES))


def _marks(*stores: BlobStore) -> list[Mark]:
    """What was erased, from all that is known, accounts first."""
    found = {mark.key: mark for store in stores for mark in erasures.read(store)}
    return [found[key] for key in sorted(found)]


# Blobs


def _put_all(blobs: BlobStore, archive: Archive, wanted: _Wanted, on_progress: OnProgress) -> list[str]:
    """Puts the blobs into the store; the keys of those that are damaged in the backup."""

    def put(each: Named) -> bool:
        return _put(blobs, archive, each)

    done, damaged, coming = 0, [], iter(wanted)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := list(islice(coming, BATCH)):
            outcomes = list(pool.map(put, batch))
            damaged += [each.key for each, good in zip(batch, outcomes, strict=True) if not good]
            on_progress(done := done + len(batch), wanted.count)
    return damaged


def _put(blobs: BlobStore, archive: Archive, each: Named) -> bool:
    """Whether a blob is in the store: it was verified on its way in, so that its length tells."""
    if _has(blobs, each):
        return True
    try:
        blobs.put(each.key, archive.path(each), sha256=each.sha256, content_type=each.content_type)
    except ValueError:
        log.error("blob_damaged", key=each.key)
        return False
    return True


def _has(blobs: BlobStore, each: Named) -> bool:
    try:
        return blobs.size(each.key) == each.length_bytes
    except KeyError:
        return False


def _absent(blobs: BlobStore, wanted: _Wanted) -> list[str]:
    """The blobs that a store which is taken as it is does not hold."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        named = list(wanted)
        return [
            each.key
            for each, has in zip(named, pool.map(lambda each: _has(blobs, each), named), strict=True)
            if not has
        ]


# Rows


def _reconcile(house: House, absent: list[str], *, kept_store: bool) -> None:
    """Has rows name what there is instead of what is absent."""
    with house.database.transaction() as session:
        named.use_renditions(session, absent)
        if not kept_store:  # what is doomed was never brought here
            discards.forget_all(session)
    for key in _still_named(house, absent) if kept_store else ():
        _adopt(house, key)


def _still_named(house: House, keys: list[str]) -> list[str]:
    with house.database.transaction() as session:
        return sorted(named.still(session, keys))


def _adopt(house: House, key: str) -> None:
    """Has a bubble whose recording is gone heard from what was made of it after the backup, if anything was."""
    code = code_of(key)
    made = next(house.blobs.keys(f"renditions/{code}/"), None) if key.startswith("recordings/") else None
    if made is None:
        return
    digest, length_bytes = hashlib.sha256(), house.blobs.size(made)
    for chunk in house.blobs.open_range(made, 0, length_bytes):
        digest.update(chunk)
    with house.database.transaction() as session:
        named.hear_from(session, key, key=made, sha256=digest.hexdigest(), length_bytes=length_bytes)
        discards.done(session, [made])


def _erase_all(house: House, marks: list[Mark]) -> int:
    """Erases again what the marks name; returns how many bubbles."""
    erased = 0
    for mark in marks:
        with house.database.transaction() as session:
            erased += _erase(session, mark)
    return erased + leave.go_on(house.database, now=house.now())


def _erase(session: Session, mark: Mark) -> bool:
    """Whether there was a bubble to be withdrawn. What an account leaves behind follows by itself."""
    if mark.key.startswith(ACCOUNTS):
        _close(session, mark)
        return False
    found = bubbles.by_code(session, mark.key.removeprefix(BUBBLES), account_id=None)
    if found is None or found[0].withdrawn_at:
        return False
    moderation.withdraw(session, found[0], by="", reason=REASON, now=mark.erased_at)
    return True


def _close(session: Session, mark: Mark) -> None:
    account = session.get(Account, int(mark.key.removeprefix(ACCOUNTS).partition("-")[0]))
    if account and account.closed_at is None and of_account(account.id, account.created_at) == mark.key:
        leave.leave(session, account, everywhere=mark.everywhere, now=mark.erased_at, abandoning=True)
