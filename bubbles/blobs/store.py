"""What a store of blobs promises."""

import hashlib
import re
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Protocol, runtime_checkable

from bubbles.errors import Missing

CHUNK_BYTES = 64 * 1024
KEY_MAX = 500
NAME = r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}"  # no leading dot: that is for temporary files, `.` and `..`
KEY = re.compile(rf"{NAME}(/{NAME})*")
PREFIX = re.compile(rf"(({NAME}/)*({NAME})?)")
DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Stored:
    """A blob that is kept: `sha256` in lower-case hex."""

    key: str
    length_bytes: int
    sha256: str


@dataclass(frozen=True)
class Trial:
    """Something that was tried: `fault` is empty, or a sentence with what to do."""

    name: str
    fault: str = ""
    is_grave: bool = True


class Spoiled(Missing):
    """The store gives other bytes for a blob than it was given: on the way this time, or for good."""

    def __init__(self, key: str) -> None:
        super().__init__(
            "store", f"The store gives other bytes for {key} than it was given; see `bubbles blobs check`."
        )


class BlobStore(Protocol):
    """Keys are `/`-separated names of letters, digits, `.`, `_` and `-`; anything else is a ValueError.

    Every method raises Missing("store", what to do) when the store is away, refuses us or is full. KeyError means
    that the store has answered and the blob is not there.
    """

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        """Keep the bytes of `source`; durable, and seen to be there, when it returns.

        The same bytes under the same key again are fine; others raise FileExistsError. Raises ValueError when
        `source` does not have that SHA-256.
        """
        ...

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes `[start, stop)`, cut off at the end of the blob, in chunks of at most 64 KiB.

        The first chunk is read before it returns, so that an absent blob raises KeyError here.
        """
        ...

    def size(self, key: str) -> int:
        """Length in bytes; raises KeyError when absent."""
        ...

    def fetch(self, key: str, target: Path, *, sha256: str) -> None:
        """Write the whole blob into the file `target`, over what it held; KeyError when absent.

        Bytes that have another digest are not taken: Spoiled. There is no `target` afterwards if it fails.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the blob; an absent one is fine."""
        ...

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        """The keys that begin with `prefix`, in any order; blobs put or deleted meanwhile may be in or out.

        With `before`, by the store's clock, only those of blobs that were put before that time.
        """
        ...

    def sweep(self, *, before: datetime) -> int:
        """Remove what interrupted puts left behind before that time; give how many. Never touches a blob."""
        ...

    def trials(self) -> Iterator[Trial]:
        """Try one by one what others build on, with a blob of its own, which is removed."""
        ...

    def check(self) -> None:
        """Raises Missing when a promise is not kept, as `trials` finds it."""
        ...


@runtime_checkable
class Linking(Protocol):
    """A store that others can fetch a blob from, by a link that we sign."""

    def link(self, key: str, *, valid_s: int, content_type: str, cache_control: str, method: str = "GET") -> str:
        """The address of a blob for whoever holds it, for so many seconds; nothing is asked of the store.

        The store answers with these headers. `method` is GET or HEAD: the link is good for that one alone.
        """
        ...


# For stores


def checked_key(key: str) -> str:
    """The key itself; raises ValueError when it is none."""
    if len(key) > KEY_MAX or not KEY.fullmatch(key):
        raise ValueError(f"Not a key of a blob: {key!r}")
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix itself; raises ValueError when no key can begin with it."""
    if len(prefix) > KEY_MAX or not PREFIX.fullmatch(prefix):
        raise ValueError(f"Not the beginning of a key: {prefix!r}")
    return prefix


def checked_digest(sha256: str) -> str:
    """The digest itself; raises ValueError unless it is lower-case hex."""
    if not DIGEST.fullmatch(sha256):
        raise ValueError(f"Not a SHA-256 in lower-case hex: {sha256!r}")
    return sha256


def checked_range(start: int, stop: int) -> None:
    """Raises ValueError for a negative bound: no range counts from the end."""
    if start < 0 or stop < 0:
        raise ValueError(f"Not a range of bytes: [{start}, {stop})")


def measured(source: Path, sha256: str) -> int:
    """Length in bytes; raises ValueError when the digest is another."""
    with source.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != sha256:
            raise ValueError(f"The source has SHA-256 {digest}, not {sha256}.")
        return content.tell()


def started(chunks: Generator[bytes]) -> Iterator[bytes]:
    """Run a generator to its first chunk: what it raises on the way is raised here."""
    return chain([first], chunks) if (first := next(chunks, None)) is not None else iter(())


def put_bytes(store: BlobStore, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
    """Puts a blob that is small enough to be at hand. Raises what `put` does, and `Missing("disk")`.

    The file between has no name, so that nothing is left of it should this process be killed.
    """
    try:
        with tempfile.TemporaryFile() as source:
            source.write(content)
            source.flush()
            digest = hashlib.sha256(content).hexdigest()
            store.put(key, Path(f"/proc/self/fd/{source.fileno()}"), sha256=digest, content_type=content_type)
    except FileExistsError:
        raise
    except OSError as error:
        raise Missing("disk", f"The folder {tempfile.gettempdir()} says: {error.strerror}; make room.") from error


def require(trials: Iterator[Trial]) -> None:
    """Raises Missing for the first fault that is grave, after all have been tried."""
    grave = [trial for trial in list(trials) if trial.fault and trial.is_grave]
    if grave:
        raise Missing("store", grave[0].fault)
