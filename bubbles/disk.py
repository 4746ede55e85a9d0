"""The disk: room on it, when that runs short, and what is durable there."""

import os
import shutil
from pathlib import Path

FULL_BYTES = 256 * 1024 * 1024
LOW_BYTES = 5 * 1024**3


def usage(folder: Path) -> tuple[int, int]:
    """Free and whole bytes of the file system that the folder is on, or is to be made on."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    found = shutil.disk_usage(there)
    return found.free, found.total


def state(free_bytes: int) -> str:
    """`ok`, `low`, or `full`, when the database stops."""
    if free_bytes < FULL_BYTES:
        return "full"
    return "low" if free_bytes < LOW_BYTES else "ok"


def sync(path: Path) -> None:
    """Returns once a file's bytes, or the names in a folder, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
