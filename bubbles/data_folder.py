"""The data folder at a start: made, tried, and served by one process alone."""

import errno
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bubbles.errors import EXHAUSTED, Missing

LOCK = "serve.lock"
ANOTHER = "set BUBBLES_DATA_DIR to another folder"


def make(folder: Path) -> None:
    """Makes the folder, closed to others, where it is absent. Raises Missing("data", what to do)."""
    with _told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def prepare(folder: Path) -> None:
    """The same, and tries whether files can be made in it.

    A disk that is merely full passes: who is to make room there has to start.
    """
    make(folder)
    with _told(folder), tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def served_alone(folder: Path) -> Iterator[None]:
    """Holds the folder for one `serve`; the kernel lets go of it when that dies, however it dies.

    Raises Missing("data") where another has it. No process that is started meanwhile inherits the hold.
    """
    with _told(folder):
        lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        with _told(folder):
            _take(lock, folder)
        yield
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(lock, 32, 0).decode(errors="replace").strip() or "that is just starting"
        told = f"{folder} is served already, by the process {holder}: end that one first, or {ANOTHER}."
        raise Missing("data", told) from None
    with suppress(PermissionError):  # whose folder root serves once may serve it again
        os.fchown(lock, folder.stat().st_uid, -1)
    with suppress(OSError):  # it is told to people alone; the disk may be full
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Missing("data", _advice(folder, error)) from error


def _advice(folder: Path, error: OSError) -> str:
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        return f"{folder} is not a folder, or lies in something that is none: remove that, or {ANOTHER}."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"The account {os.geteuid()} may not write to {folder}: give it that folder, or {ANOTHER}."
    if error.errno == errno.EROFS:
        return f"{folder} is on a file system that can only be read: mount it to be written to, or {ANOTHER}."
    if error.errno in EXHAUSTED:
        return f"There is no room for {folder}: make room there, or {ANOTHER}."
    return f"{folder} cannot be used ({error.strerror}): mend that, or {ANOTHER}."
