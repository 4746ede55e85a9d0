"""Export: everything of one person as one ZIP archive, made while it is sent.

At no moment is more in memory than one page of bubbles and one chunk of sound, and no transaction is open while a chunk
waits for who receives it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from sqlmodel import Session

from bubbles.blobs.store import BlobStore
from bubbles.db import authored, bubbles
from bubbles.db.bubbles import Whole
from bubbles.db.engine import Database
from bubbles.errors import Missing

PAGE = 20
TO_THE_END = 2**62
MISSING_FILE = "missing.txt"


@dataclass(frozen=True)
class Entry:
    """A file of the archive: a text, or the blob of that key."""

    path: str
    text: str = ""
    blob_key: str | None = None


Described = Callable[[Session, Whole], dict[str, str]]
"""The texts that tell of a bubble, by the names of their files."""


class _Pipe:
    """What a ZIP is written into: it remembers only what was not taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: bytes) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def close(self) -> None:
        """What was written is taken still."""

    def flush(self) -> None:
        """Nothing is held back."""

    def take(self) -> bytes:
        """All that was written since the last time."""
        taken, self._parts = b"".join(self._parts), []
        return taken


def archive(entries: Iterable[Entry], blobs: BlobStore, *, now: datetime) -> Iterator[bytes]:
    """The bytes of the archive. Sound that cannot be had is named in `missing.txt`; it ends nothing."""
    pipe, missing = _Pipe(), []
    with ZipFile(pipe, "w") as zipped:
        for entry in entries:
            try:
                yield from _added(zipped, pipe, entry, blobs, now)
            except (KeyError, Missing) as error:
                why = "is gone" if isinstance(error, KeyError) else "could not be read: the store is away"
                missing.append(f"{entry.path}: {why}\n")
        if missing:
            zipped.writestr(_info(MISSING_FILE, now), "".join(missing))
    yield pipe.take()


def _added(zipped: ZipFile, pipe: _Pipe, entry: Entry, blobs: BlobStore, now: datetime) -> Iterator[bytes]:
    if entry.blob_key is None:
        zipped.writestr(_info(entry.path, now), entry.text)
        yield pipe.take()
        return
    chunks = blobs.open_range(entry.blob_key, 0, TO_THE_END)  # an absent blob is known before its entry begins
    with zipped.open(_info(entry.path, now, is_sound=True), "w") as file:
        for chunk in chunks:
            file.write(chunk)
            yield pipe.take()
    yield pipe.take()


def _info(path: str, now: datetime, *, is_sound: bool = False) -> ZipInfo:
    info = ZipInfo(path, now.timetuple()[:6])
    info.compress_type = ZIP_STORED if is_sound else ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info


def of_account(database: Database, account_id: int, described: Described) -> Iterator[Entry]:
    """All bubbles that an account posted, oldest first, each in a folder of its own."""
    after = 0
    while True:
        with database.transaction() as session:
            rows = authored.page(session, account_id, after=after, limit=PAGE)
            entries = [
                entry for whole in bubbles.whole(session, rows) for entry in _of_bubble(session, whole, described)
            ]
        if not rows:
            return
        yield from entries
        after = rows[-1].id


def _of_bubble(session: Session, whole: Whole, described: Described) -> Iterator[Entry]:
    bubble = whole.bubble
    folder = f"bubbles/{bubble.created_at:%Y-%m-%d}-{bubble.code}"
    for name, text in described(session, whole).items():
        yield Entry(f"{folder}/{name}", text)
    for made in whole.renditions:
        yield Entry(f"{folder}/sound.{made.kind}", blob_key=made.blob_key)
    if bubble.recording_key:
        yield Entry(f"{folder}/recording-as-sent", blob_key=bubble.recording_key)
