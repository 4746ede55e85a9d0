"""Back up: one moment of the database, and every blob that it names, while the house serves.

The moment is taken first, blobs are copied after: they never change, so that those of the moment are still there
unless they were let go of. Sound of which nothing has been made yet is copied while the moment is held; should it go
even then, because the journey was quicker, another moment is taken.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bubbles import erasures
from bubbles.app import House
from bubbles.archive import PART, Archive, BackupSet, Manifest, OnProgress, digest
from bubbles.blobs.store import Spoiled
from bubbles.blobs.trials import require_faithful
from bubbles.db import accounts, chores, dump, named
from bubbles.db.named import Named, code_of
from bubbles.errors import EXHAUSTED, Code, Missing, Refused
from bubbles.model.erasure import BUBBLES, PREFIX, of_account

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
    """Adds a backup to the folder; the `keep` newest stay, and the newest that lacks nothing.

    Raises `Missing("store" | "database" | "disk")`, `conflict` when nobody has an account here or the folder is in use,
    not for backups or another house's; then the backups that are there stay, and the next one goes on from there.
    """
    with _recorded(house) as counts, Archive.held(folder, make=True, of=_whose(house)) as archive:
        copier = _Copier(house, archive)
        part, told = _moment(house, archive, copier, with_blobs=with_blobs)
        if with_blobs:
            copier.copy(part.named(), lambda done: on_progress(done, told.blobs))
        gone, lost = _sorted_out(house, copier.absent)
        told = replace(told, gone=gone, lost=lost)
        made = archive.finish(part, told)
        counts.update(blobs=copier.copied, lost=len(lost), erased=tidy(house, archive, keep=keep))
    return Made(made.folder.name, told, counts["blobs"], counts["erased"])


def _whose(house: House) -> str:
    """What tells this house from others wherever it is restored: a digest of the moment of its first account.

    Raises `conflict` when there is none: a timer without the service's settings would back up an empty house for ever.
    """
    with house.database.transaction() as session:
        first = accounts.first(session)
    if first is None:
        raise Refused(
            Code.CONFLICT,
            "Nobody has an account here, so there is nothing to back up: are these the settings of the service "
            "(BUBBLES_DATA_DIR, BUBBLES_DATABASE_URL)?",
        )
    return hashlib.sha256(of_account(first.id, first.created_at).encode()).hexdigest()


@contextmanager
def _recorded(house: House) -> Iterator[Counter[str]]:
    """Writes down how it ended and what it counted, for `/metrics`: a backup that is not made is not noticed else."""
    counts: Counter[str] = Counter()
    began_s, failed = time.monotonic(), True
    try:
        yield counts
        failed = counts["lost"] > 0
    finally:
        took_s = round(time.monotonic() - began_s, 3)
        log.info("backup", took_s=took_s, failed=failed, **counts)
        with suppress(SQLAlchemyError), house.database.transaction() as session:
            chores.ran(session, "backup", now=house.now(), took_s=took_s, counts=counts, failed=failed)


def _moment(house: House, archive: Archive, copier: "_Copier", *, with_blobs: bool) -> tuple[BackupSet, Manifest]:
    """A set with the dump of one moment, the list of its blobs, and the sound that may be gone the next."""
    for _ in range(MOMENTS_MAX):
        part, made_at = archive.begin(), house.now()
        with dump.snapshot(house.database) as held:
            count, length_bytes = part.write_list(named.blobs(held.session))
            if with_blobs:
                copier.copy(each for each in part.named() if each.only_copy)
                if _sorted_out(house, copier.absent)[0]:
                    copier.absent.clear()
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
            house=_whose(house),
        )
    raise Missing("store", "Recordings go more quickly than they can be copied: try again when less is going on.")


class _Copier:
    """Copies blobs into an archive, many at once; `copied` of them, and the keys of those `absent` in the store."""

    def __init__(self, house: House, archive: Archive) -> None:
        self._house = house
        self._archive = archive
        self.copied = 0
        self.absent: list[str] = []

    def copy(self, wanted: Iterator[Named], on_progress: Callable[[int], object] = lambda _: None) -> None:
        """Copies what the archive lacks. Raises `Missing("store")`, also for one that spoils what it is just given."""
        done = 0
        with (
            ThreadPoolExecutor(AT_ONCE) as pool,
            TemporaryDirectory(dir=self._archive.folder / "sets", prefix=PART) as folder,
        ):
            while batch := list(islice(wanted, BATCH)):
                outcomes = list(pool.map(lambda each: self._copy(each, Path(folder)), batch))
                self.copied += outcomes.count(True)
                self.absent += [each.key for each, outcome in zip(batch, outcomes, strict=True) if outcome is None]
                on_progress(done := done + len(batch))

    def _copy(self, each: Named, folder: Path) -> bool | None:
        """Whether a blob was copied: False when it is there already, None when it cannot be had."""
        if self._archive.holds(each):
            return False
        source = folder / uuid4().hex
        try:
            self._house.blobs.fetch(each.key, source, sha256=each.sha256)
            self._archive.blobs.put(each.key, source, sha256=each.sha256, content_type="")
        except KeyError:
            return None
        except Spoiled:
            require_faithful(self._house.blobs)  # it may be all sound that comes so: then nothing is lost, nor kept
            log.error("blob_damaged", key=each.key)
            return None
        except Missing as missing:
            cause = missing.__cause__
            if isinstance(cause, OSError) and cause.errno in EXHAUSTED:
                raise cause from None  # what a blob is copied to is the archive's disk, not the store's
            raise
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


def _outdated(sets: list[BackupSet], *, keep: int) -> list[BackupSet]:
    """What goes: never the newest set that lacks nothing, as it may hold the last of what is lost since."""
    whole = next((each for each in sets if each.is_whole()), None)
    return [each for each in sets[keep:] if each != whole]


def tidy(house: House, archive: Archive, *, keep: int) -> int:
    """Drops old backups, and blobs that no backup needs or that were erased; returns how many erased ones went."""
    erasures.mark(house.database, house.blobs, now=house.now())
    for mark in erasures.read(house.blobs, known=erasures.keys(archive.blobs)):
        erasures.put(archive.blobs, mark)
    for old in _outdated(archive.sets(), keep=keep):
        archive.drop(old)
    needed = {each.key for kept in archive.sets() for each in kept.named()}
    erased = {key.removeprefix(BUBBLES) for key in erasures.keys(archive.blobs)}
    count = 0
    for key in archive.blobs.keys(""):
        if not key.startswith(PREFIX) and (code_of(key) in erased or key not in needed):
            archive.blobs.delete(key)
            count += code_of(key) in erased
    return count
