"""Back up: one moment of the database, and every blob that it names, while the house serves.

The moment is taken first, blobs are copied after: they never change, so that those of the moment are still there
unless they were let go of. Sound of which nothing has been made yet is copied while the moment is held; should it go
even then, because the journey was quicker, another moment is taken.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from uuid import uuid4

import structlog

from bubbles import erasures
from bubbles.app import House
from bubbles.archive import Archive, BackupSet, Manifest, OnProgress, digest
from bubbles.blobs.store import Spoiled
from bubbles.db import dump, named
from bubbles.db.named import Named, code_of
from bubbles.errors import Missing
from bubbles.model.erasure import BUBBLES, PREFIX

AT_ONCE = 8
"""Blobs copied at once: a bucket answers slowly, and many at once."""

BATCH = 500
MOMENTS_MAX = 20
log = structlog.get_logger()


@dataclass(frozen=True)
class Made:
    """A finished backup: its name in the folder, what it holds, what was copied for it, what it let go of."""

    name: str
    manifest: Manifest
    copied: int
    erased: int


def back_up(
    house: House, folder: Path, *, keep: int, with_blobs: bool = True, on_progress: OnProgress = lambda _, __: None
) -> Made:
    """Adds a backup to the folder; the `keep` newest stay.

    Raises `Missing("store" | "database")`, `conflict` when the folder is in use or not for backups; then the backups
    that are there stay as they are, and the next one goes on from there.
    """
    with Archive.held(folder, make=True) as archive:
        part, told = _moment(house, archive, with_blobs=with_blobs)
        copied, absent = _copy_all(house, archive, part, told.blobs, on_progress) if with_blobs else (0, [])
        gone, lost = _sorted_out(house, absent)
        told = replace(told, gone=gone, lost=lost)
        made = archive.finish(part, told)
        erased = tidy(house, archive, keep=keep)
    log.info("backed_up", set=made.folder.name, blobs=told.blobs, copied=copied, erased=erased, lost=len(lost))
    return Made(made.folder.name, told, copied, erased)


def _moment(house: House, archive: Archive, *, with_blobs: bool) -> tuple[BackupSet, Manifest]:
    """A set with the dump of one moment, the list of its blobs, and the sound that may be gone the next."""
    for _ in range(MOMENTS_MAX):
        part, made_at = archive.begin(), house.now()
        with dump.snapshot(house.database) as held:
            count, length_bytes = part.write_list(named.blobs(held.session))
            urgent = [each for each in part.named() if each.only_copy] if with_blobs else []
            if _sorted_out(house, _copy(house, archive, part, urgent)[1])[0]:
                continue
            dump.dump(house.database, held, part.dump)
            bubbles = named.count_bubbles(held.session)
        return part, Manifest(
            made_at=made_at.isoformat(),
            revision=held.revision,
            server_version=held.server_version,
            bubbles=bubbles,
            blobs=count,
            blobs_bytes=length_bytes,
            holds_blobs=with_blobs,
            gone=[],
            lost=[],
            dump_sha256=digest(part.dump),
            list_sha256=digest(part.list),
        )
    raise Missing("store", "Recordings go more quickly than they can be copied: try again when less is going on.")


def _copy_all(
    house: House, archive: Archive, part: BackupSet, total: int, on_progress: OnProgress
) -> tuple[int, list[str]]:
    copied, done = 0, 0
    absent: list[str] = []
    wanted = part.named()
    while batch := list(islice(wanted, BATCH)):
        new, missed = _copy(house, archive, part, batch)
        copied, done, absent = copied + new, done + len(batch), absent + missed
        on_progress(done, total)
    return copied, absent


def _copy(house: House, archive: Archive, part: BackupSet, wanted: list[Named]) -> tuple[int, list[str]]:
    """Copies what the folder lacks; returns how many blobs, and the keys of those that cannot be had."""

    def copy(each: Named) -> bool | None:
        return _copy_one(house, archive, part, each)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(copy, wanted))
    absent = [each.key for each, outcome in zip(wanted, outcomes, strict=True) if outcome is None]
    return outcomes.count(True), absent


def _copy_one(house: House, archive: Archive, part: BackupSet, each: Named) -> bool | None:
    """Whether a blob was copied: False when it is there already, None when it cannot be had."""
    if archive.holds(each):
        return False
    source = part.folder / f"{uuid4().hex}.blob"
    try:
        house.blobs.fetch(each.key, source, sha256=each.sha256)
        archive.blobs.put(each.key, source, sha256=each.sha256, content_type="")
    except KeyError:
        return None
    except Spoiled:
        log.error("blob_damaged", key=each.key)
        return None
    finally:
        source.unlink(missing_ok=True)
    return True


def _sorted_out(house: House, absent: list[str]) -> tuple[list[str], list[str]]:
    """Of blobs that cannot be had, those that were let go of meanwhile, and those that rows still name: lost."""
    with house.database.transaction() as session:
        lost = named.still(session, absent)
    for key in lost:
        log.error("blob_lost", key=key)
    return sorted(set(absent) - lost), sorted(lost)


def tidy(house: House, archive: Archive, *, keep: int) -> int:
    """Drops old backups, and blobs that no backup needs or that were erased; returns how many erased ones went."""
    erasures.mark(house.database, house.blobs, now=house.now())
    for mark in erasures.read(house.blobs, known=erasures.keys(archive.blobs)):
        erasures.put(archive.blobs, mark)
    for old in archive.sets()[keep:]:
        archive.drop(old)
    needed = {each.key for kept in archive.sets() for each in kept.named()}
    erased = {key.removeprefix(BUBBLES) for key in erasures.keys(archive.blobs)}
    count = 0
    for key in archive.blobs.keys(""):
        if not key.startswith(PREFIX) and (code_of(key) in erased or key not in needed):
            archive.blobs.delete(key)
            count += code_of(key) in erased
    return count
