"""Temporary files and folders whose owner the kernel knows: what a dead process left is told from what is in use.

Each bears a mark in its name and is locked by who made it (flock(2)), as long as they need it. The kernel lets go of a
lock with the process that holds it, however that ends.
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

HELD = "held-"
"""The mark. What lacks it may be in use, by a release that locks nothing."""

YOUNG = timedelta(minutes=1)
"""What is younger is left alone: its owner may be about to lock it."""


@contextlib.contextmanager
def folder(base: Path, what: str) -> Iterator[Path]:
    """A folder in `base` that is ours during the block, and gone after it."""
    with TemporaryDirectory(dir=base, prefix=f"{HELD}{what}-") as name, held(Path(name)):
        yield Path(name)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keeps a file or folder with the mark, which was made a moment ago, from being swept during the block."""
    handle = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks: then nothing on it is swept for want of one
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def sweep(base: Path, *, now: datetime) -> int:
    """Deletes what dead processes left in `base`; returns how many files and folders, without what lay in them."""
    with contextlib.suppress(FileNotFoundError):
        return sum(_swept(path, now) for path in base.iterdir() if path.name.startswith(HELD))
    return 0


def _swept(path: Path, now: datetime) -> bool:
    try:
        if path.is_symlink() or path.stat().st_mtime > (now - YOUNG).timestamp():
            return False
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return False  # somebody holds it
    finally:
        os.close(handle)
    return not path.exists()
