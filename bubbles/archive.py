"""The folder of backups: sets, each of them one moment, and the blobs that they share.

    sets/20261122T120000.000000Z/   one backup, whole: renamed to its place once all of it is durable
        database.dump                what pg_dump wrote
        blobs.jsonl                  the blobs that its rows name, a line each
        manifest.json                what belongs together, with digests
    blobs/                           a store like the house's own, with the marks of what was erased
    lock                             held by whoever backs up or restores

Nothing in a set ever changes, and a blob is only taken away when no set needs it, or when it was erased.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from bubbles import disk
from bubbles.blobs.disk import DiskStore
from bubbles.db.named import Named
from bubbles.errors import EXHAUSTED, Code, Missing, Refused

FORMAT = 1
PART = ".part-"
NAME = "%Y%m%dT%H%M%S.%fZ"
OURS = {"sets", "blobs", "lock"}
OnProgress = Callable[[int, int], None]
"""Told how many blobs are done, and of how many."""


@dataclass(frozen=True)
class Manifest:
    """What a set says of itself. `gone` are blobs that were let go of while it was made, `lost` those not found.

    `house` tells whose it is: a digest that stays the same when a house is restored elsewhere.
    """

    made_at: str
    revision: str
    server_version: int
    bubbles: int
    blobs: int
    blobs_bytes: int
    holds_blobs: bool
    gone: list[str]
    lost: list[str]
    dump_sha256: str
    list_sha256: str
    house: str = ""
    format: int = FORMAT


@dataclass(frozen=True)
class BackupSet:
    """The files of one backup, in `folder`."""

    folder: Path

    @property
    def dump(self) -> Path:
        return self.folder / "database.dump"

    @property
    def list(self) -> Path:
        return self.folder / "blobs.jsonl"

    def write_list(self, named: Iterator[Named]) -> tuple[int, int]:
        """Writes down the blobs; returns how many, and their bytes."""
        count = length_bytes = 0
        with _private(self.list) as file:
            for each in named:
                file.write(f"{json.dumps(asdict(each))}\n".encode())
                count, length_bytes = count + 1, length_bytes + each.length_bytes
        return count, length_bytes

    def named(self) -> Iterator[Named]:
        """The blobs that the rows name; raises `conflict` when the list cannot be read."""
        with self.list.open("rb") as lines:
            for line in lines:
                yield self._of(line)

    def _of(self, line: bytes) -> Named:
        try:
            return Named(**json.loads(line))
        except (ValueError, TypeError):
            raise Refused(Code.CONFLICT, f"The backup is damaged: {self.list} cannot be read.") from None

    def manifest(self) -> Manifest:
        """What the set says of itself; raises `conflict` when its files are not what it says."""
        manifest = self.told()
        for file, sha256 in ((self.dump, manifest.dump_sha256), (self.list, manifest.list_sha256)):
            if not file.is_file() or digest(file) != sha256:
                raise Refused(Code.CONFLICT, f"The backup is damaged: {file} is not what its manifest says.")
        return manifest

    def is_whole(self) -> bool:
        """Whether no sound was lost when it was made; one that cannot be read is not."""
        try:
            return not self.told().lost
        except Refused:
            return False

    def told(self) -> Manifest:
        """The same, unproved; raises `conflict` when it cannot be read."""
        path = self.folder / "manifest.json"
        try:
            told = json.loads(path.read_bytes())
            if told["format"] == FORMAT:
                return Manifest(**told)
        except (OSError, ValueError, KeyError, TypeError):
            raise Refused(Code.CONFLICT, f"The backup is damaged: {path} cannot be read.") from None
        raise Refused(Code.CONFLICT, f"The backup {self.folder.name} is of a newer release: restore it with that.")


class Archive:
    """A folder of backups; made, and closed to others, when it is first used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().absolute()
        self.blobs = DiskStore(self.folder / "blobs")
        self._sets = self.folder / "sets"

    @classmethod
    @contextmanager
    def held(cls, folder: Path, *, make: bool = False, of: str = "") -> Iterator["Archive"]:
        """The archive in `folder`, for us alone, and of that house if one is named.

        Raises `conflict`, `not_found` when there is none to be held, `Missing("disk")` when room runs short meanwhile.
        """
        folder = folder.expanduser().absolute()
        if not make and not (folder / "sets").is_dir():
            raise Refused(Code.NOT_FOUND, f"There is no backup in {folder}.")
        with _room_in(folder):
            if make:
                _make_private(folder)
            with _locked(folder):
                archive = cls(folder)
                if of:
                    archive._require_of(of)
                yield archive

    def path(self, each: Named) -> Path:
        """The file of a blob."""
        return self.folder / "blobs" / each.key

    def holds(self, each: Named) -> bool:
        """Whether a blob is there: it was verified on its way in, so that its length tells."""
        try:
            return self.blobs.size(each.key) == each.length_bytes
        except KeyError:
            return False

    def sets(self) -> list[BackupSet]:
        """All that are whole, newest first."""
        return [BackupSet(path) for path in sorted(self._sets.glob("[0-9]*Z"), reverse=True)]

    def choose(self, name: str) -> BackupSet:
        """The set of that name, or the newest for an empty one; raises `not_found`."""
        found = next((each for each in self.sets() if name in {"", each.folder.name}), None)
        if found is None:
            raise Refused(Code.NOT_FOUND, f"There is no backup {name} in {self.folder}.".replace("  ", " "))
        return found

    def _require_of(self, house: str) -> None:
        """Raises `conflict` for an archive of another house: each would drop the other's sets as too old."""
        for each in self.sets():
            try:
                whose = each.told().house
            except Refused:  # restoring it says so; one that cannot be read speaks for nobody
                continue
            if whose not in {"", house}:
                sentence = f"{self.folder} holds the backups of another service: name a folder of this one's own."
                raise Refused(Code.CONFLICT, sentence)
            return

    def begin(self) -> BackupSet:
        """A set to be filled; what earlier ones left unfinished is thrown away."""
        for left in self._sets.glob(f"{PART}*"):
            shutil.rmtree(left)
        part = self._sets / f"{PART}{os.getpid()}"
        part.mkdir(mode=0o700)
        return BackupSet(part)

    def finish(self, part: BackupSet, manifest: Manifest) -> BackupSet:
        """Makes a filled set one of the archive's: durable, whole, or not at all."""
        with _private(part.folder / "manifest.json") as file:
            file.write(json.dumps(asdict(manifest), indent=2).encode())
        for path in (*part.folder.iterdir(), part.folder):
            disk.sync(path)
        whole = part.folder.rename(self._sets / self._next_name(datetime.fromisoformat(manifest.made_at)))
        disk.sync(self._sets)
        return BackupSet(whole)

    def _next_name(self, made_at: datetime) -> str:
        """The moment, or the one after the newest set where a clock went back: names tell what is newest."""
        made_at = made_at.astimezone(UTC)
        for each in self.sets()[:1]:
            newest = datetime.strptime(each.folder.name, NAME).replace(tzinfo=UTC)
            made_at = max(made_at, newest + timedelta(microseconds=1))
        return f"{made_at:{NAME}}"

    def drop(self, old: BackupSet) -> None:
        """Throws a set away; broken off, it is none any more."""
        part = old.folder.rename(self._sets / f"{PART}{old.folder.name}")
        disk.sync(self._sets)
        shutil.rmtree(part)


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _make_private(folder: Path) -> None:
    if folder.is_dir() and {path.name for path in folder.iterdir()} - OURS:
        raise Refused(Code.CONFLICT, f"{folder} holds something else: name a folder of its own for backups.")
    for each in (folder, folder / "sets"):
        each.mkdir(mode=0o700, parents=True, exist_ok=True)
        each.chmod(0o700)
        disk.sync(each.parent)


@contextmanager
def _room_in(folder: Path) -> Iterator[None]:
    """Says what the machine lacks, and where."""
    try:
        yield
    except OSError as error:
        if error.errno not in EXHAUSTED:
            raise
        where = f"{folder}, or for a moment in {tempfile.gettempdir()}"
        raise Missing("disk", f"What is written in {where} finds no room: {error.strerror}.") from error


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(Code.CONFLICT, f"Another backup or restore is at work in {folder}.") from None
        yield
    finally:
        os.close(lock)


@contextmanager
def _private(path: Path) -> Iterator[BinaryIO]:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file
