"""What is made durable: bytes of files, names in folders."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from bubbles import disk

OPEN = Path("/proc/self/fd")


def open_in(folder: Path) -> set[Path]:
    """What is open of a folder here; what else this process does opens and closes others meanwhile."""
    found = set()
    for handle in OPEN.iterdir():
        with suppress(FileNotFoundError):
            found.add(handle.readlink())
    return {path for path in found if path.is_relative_to(folder)}


def test_a_file_and_a_folder_are_synced_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((OPEN / str(handle)).readlink()))
    (tmp_path / "file").write_bytes(b"x")
    disk.sync(tmp_path / "file")
    disk.sync(tmp_path)
    assert synced == [tmp_path / "file", tmp_path]
    assert not open_in(tmp_path)
