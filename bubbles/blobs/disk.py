"""Blobs in a folder: the key is the path. Folders 0700, files 0600, no link is followed below the root.

A blob appears by a hard link from a finished, synced temporary file `.tmp-...` in its own folder: whole or not at
all, and never over another. A crash leaves temporary files only.
"""

import errno
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from bubbles.blobs.store import (
    CHUNK_BYTES,
    NAME,
    Spoiled,
    Stored,
    Trial,
    checked_digest,
    checked_key,
    checked_prefix,
    checked_range,
    require,
    started,
)
from bubbles.blobs.trials import tried
from bubbles.errors import Missing

TEMPORARY = ".tmp-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in a blob's place must not stop us
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskStore:
    """A BlobStore in the folder `root`, which is made when it is not there."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with suppress(OSError):  # every method says so
            root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:  # noqa: ARG002 - for S3
        """See BlobStore. A disk keeps no content type."""
        folder, name = _split(key)
        checked_digest(sha256)
        temporary = f"{TEMPORARY}{secrets.token_hex(16)}"
        with source.open("rb", buffering=0) as content, self._folder(folder, make=True) as handle, _disk(key):
            try:
                length_bytes = _write(handle, temporary, content.fileno(), sha256)
                _link(handle, temporary, name, sha256)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=handle)
            os.fsync(handle)
        return Stored(key, length_bytes, sha256)

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """See BlobStore. One pread a chunk."""
        checked_range(start, stop)
        return started(self._chunks(key, start, stop))

    def _chunks(self, key: str, start: int, stop: int) -> Generator[bytes]:
        with self._file(key) as file, _disk(key):
            while start < stop and (chunk := os.pread(file, min(CHUNK_BYTES, stop - start), start)):
                yield chunk
                start += len(chunk)

    def size(self, key: str) -> int:
        """See BlobStore."""
        with self._file(key) as file:
            return os.fstat(file).st_size

    def fetch(self, key: str, target: Path, *, sha256: str) -> None:
        """See BlobStore."""
        checked_digest(sha256)
        with self._file(key) as file, target.open("wb", buffering=0) as copy:
            try:
                with _disk(key):
                    _, digest = _copy(file, copy.fileno())
                if digest != sha256:
                    raise Spoiled(key)
            except BaseException:
                target.unlink()
                raise

    def delete(self, key: str) -> None:
        """See BlobStore. The blob's folder stays: another put may be about to use it."""
        folder, name = _split(key)
        with suppress(KeyError), self._folder(folder) as handle, _disk(key):
            os.unlink(name, dir_fd=handle)
            os.fsync(handle)

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        """See BlobStore. A walk through the folders, with a few of them open and none in memory."""
        for path, entry, _ in self._walk(checked_prefix(prefix)):
            if not _is_temporary(path) and (before is None or _is_older(entry, before)):
                yield path

    def sweep(self, *, before: datetime) -> int:
        """See BlobStore."""
        return sum(
            _removed(entry, handle)
            for path, entry, handle in self._walk("")
            if _is_temporary(path) and _is_older(entry, before)
        )

    def trials(self) -> Iterator[Trial]:
        """See BlobStore."""
        return tried(self)

    def check(self) -> None:
        """See BlobStore."""
        require(self.trials())

    @contextmanager
    def _folder(self, path: str, *, make: bool = False) -> Iterator[int]:
        """A handle of the folder; KeyError when it is not there."""
        with _disk(path):
            handle = _descend(_open_root(self._root), path, make=make)
        try:
            yield handle
        finally:
            os.close(handle)

    @contextmanager
    def _file(self, key: str) -> Iterator[int]:
        """A handle of the blob; KeyError when it is not there."""
        folder, name = _split(key)
        with self._folder(folder) as handle, _disk(key):
            file = _open_file(name, handle)
        try:
            yield file
        finally:
            os.close(file)

    def _walk(self, prefix: str) -> Iterator["_Found"]:
        """Our files whose paths begin so, temporary ones too."""
        folder = prefix.rpartition("/")[0]
        with suppress(KeyError), self._folder(folder) as handle:
            yield from _below(handle, folder, prefix)


_Found = tuple[str, os.DirEntry[str], int]
"""The path of a file, what its folder says of it, and a handle of that folder, open until the next is asked for."""


def _below(handle: int, path: str, prefix: str) -> Iterator[_Found]:
    with _disk(path), os.scandir(handle) as entries:
        for entry in entries:
            inner = f"{path}/{entry.name}" if path else entry.name
            if not inner.startswith(prefix):
                continue
            if re.fullmatch(NAME, entry.name) and entry.is_dir(follow_symlinks=False):
                yield from _inside(entry.name, handle, inner, prefix)
            elif _is_ours(entry.name) and entry.is_file(follow_symlinks=False):
                yield inner, entry, handle


def _inside(name: str, folder: int, path: str, prefix: str) -> Iterator[_Found]:
    try:
        handle = os.open(name, FOLDER, dir_fd=folder)
    except FileNotFoundError:
        return  # gone since its name was read
    try:
        yield from _below(handle, path, prefix)
    finally:
        os.close(handle)


def _is_ours(name: str) -> bool:
    return bool(re.fullmatch(NAME, name)) or _is_temporary(name)


def _is_older(entry: os.DirEntry[str], before: datetime) -> bool:
    """Whether a file was last written before that time; one that is gone was not."""
    with suppress(KeyError), _disk(entry.name):
        return entry.stat(follow_symlinks=False).st_mtime < before.timestamp()
    return False


def _removed(entry: os.DirEntry[str], folder: int) -> bool:
    """Whether a file was removed; one that is gone was not."""
    with suppress(KeyError), _disk(entry.name):
        os.unlink(entry.name, dir_fd=folder)
        return True
    return False


@contextmanager
def _disk(key: str) -> Iterator[None]:
    """Say what an error of the disk means for the blob."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError:
        raise KeyError(key) from None
    except OSError as error:
        advice = "make room" if error.errno in FULL else "check the folder of the blobs"
        raise Missing("store", f"The disk of the store says: {error.strerror}; {advice}.") from error


def _split(key: str) -> tuple[str, str]:
    """The folder of a key, and its name in there."""
    folder, _, name = checked_key(key).rpartition("/")
    return folder, name


def _is_temporary(path: str) -> bool:
    return path.rpartition("/")[2].startswith(TEMPORARY)


def _open_root(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        # A volume that is not mounted must not look like a store without blobs.
        raise Missing("store", f"The folder of the blobs is gone: mount or make {root}.") from None


def _descend(handle: int, path: str, *, make: bool) -> int:
    """Open the folders of the path name by name, so that no link leads out. Closes the handle it was given."""
    for name in path.split("/") if path else ():
        try:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=handle)
                os.fsync(handle)  # also when another put has made it: that one may not have come to this line
            inner = os.open(name, FOLDER, dir_fd=handle)
        finally:
            os.close(handle)
        handle = inner
    return handle


def _open_file(name: str, folder: int) -> int:
    file = os.open(name, READ, dir_fd=folder)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise Missing("store", f"In the place of the blob {name} lies something that is no file: move it away.")


def _write(folder: int, name: str, source: int, sha256: str) -> int:
    """Copy the source into a new file, down to the disk; give its length in bytes."""
    file = os.open(name, CREATE, 0o600, dir_fd=folder)
    try:
        length_bytes, digest = _copy(source, file)
        if digest != sha256:
            raise ValueError(f"The source has SHA-256 {digest}, not {sha256}.")
        os.fsync(file)
        return length_bytes
    finally:
        os.close(file)


def _link(folder: int, temporary: str, name: str, sha256: str) -> None:
    """Give the finished file its name, or see that the same bytes bear it already."""
    while True:
        try:
            os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            return
        except FileExistsError:
            with suppress(FileNotFoundError):  # deleted meanwhile: try again
                if _digest(name, folder) != sha256:
                    raise FileExistsError(f"Other bytes have the key of {name} already.") from None
                return


def _digest(name: str, folder: int) -> str:
    file = _open_file(name, folder)
    try:
        digest = hashlib.sha256()
        while chunk := os.read(file, CHUNK_BYTES):
            digest.update(chunk)
        return digest.hexdigest()
    finally:
        os.close(file)


def _copy(source: int, target: int) -> tuple[int, str]:
    """Copy to the end; give length in bytes and SHA-256."""
    length_bytes, digest = 0, hashlib.sha256()
    while chunk := os.read(source, CHUNK_BYTES):
        digest.update(chunk)
        length_bytes += len(chunk)
        while chunk:
            chunk = chunk[os.write(target, chunk) :]
    return length_bytes, digest.hexdigest()
