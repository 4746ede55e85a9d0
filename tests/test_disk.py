"""What is made durable: bytes of files, names in folders."""

import os
from pathlib import Path

import pytest

from bubbles import disk
from tests.handles import open_in

OPEN = Path("/proc/self/fd")


def test_a_file_and_a_folder_are_synced_and_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append((OPEN / str(handle)).readlink()))
    (tmp_path / "file").write_bytes(b"x")
    disk.sync(tmp_path / "file")
    disk.sync(tmp_path)
    assert synced == [tmp_path / "file", tmp_path]
    assert not open_in(tmp_path)
