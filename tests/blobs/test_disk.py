"""What holds of a folder only: modes, links, crashes."""

import errno
import hashlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bubbles
from bubbles.blobs.disk import DiskStore
from bubbles.blobs.store import BlobStore, Stored
from bubbles.errors import Missing
from tests.handles import open_in

Put = Callable[[BlobStore, str, bytes], Stored]
WAIT_S = 60
PUT_FROM_A_PIPE = """
import sys
from pathlib import Path
from bubbles.blobs.disk import DiskStore
DiskStore(Path(sys.argv[1])).put("deep/er/blob", Path("/dev/stdin"), sha256="0" * 64, content_type="audio/mp4")
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "new" / "blobs"


@pytest.fixture
def disk(root: Path) -> DiskStore:
    return DiskStore(root)


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if not path.is_dir()]


def test_only_the_owner_reads_a_blob(disk: DiskStore, root: Path, put: Put) -> None:
    mask = os.umask(0)
    try:
        put(disk, "a/b/c", b"x")
    finally:
        os.umask(mask)
    modes = {str(path.relative_to(root)): stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    assert modes == {"a": 0o700, "a/b": 0o700, "a/b/c": 0o600}
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_a_blob_is_on_the_disk_before_its_name_and_the_name_before_the_answer(
    disk: DiskStore, root: Path, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    fsync, link = os.fsync, os.link

    def watch_fsync(handle: int) -> None:
        said.append(Path(f"/proc/self/fd/{handle}").readlink().name[:5])
        fsync(handle)

    def watch_link(*args: object, **kwargs: object) -> None:
        said.append("link")
        link(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", watch_fsync)
    monkeypatch.setattr(os, "link", watch_link)
    put(disk, "a/b/c", b"x")
    assert said == ["blobs", "a", ".tmp-", "link", "b"]


def test_a_put_that_is_killed_leaves_a_temporary_file_only(disk: DiskStore, root: Path) -> None:
    command = [sys.executable, "-c", PUT_FROM_A_PIPE, root]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(bubbles.__file__).parent.parent) as process:
        assert process.stdin is not None
        process.stdin.write(b"half of it")
        process.stdin.flush()
        deadline_s = time.monotonic() + WAIT_S
        while not any(path.stat().st_size for path in files(root)):
            assert time.monotonic() < deadline_s
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert [path.name[:5] for path in files(root)] == [".tmp-"]
    assert list(disk.keys("")) == []
    assert disk.sweep(before=datetime.fromtimestamp(0, UTC)) == 0
    assert disk.sweep(before=datetime.max.replace(tzinfo=UTC)) == 1
    assert files(root) == []


def test_a_put_that_fails_leaves_nothing(disk: DiskStore, root: Path, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x")
    with pytest.raises(ValueError, match="SHA-256"):
        disk.put("a/b", tmp_path / "source", sha256="0" * 64, content_type="audio/mp4")
    assert files(root) == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_missing(
    disk: DiskStore, root: Path, put: Put, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(handle: int, content: bytes) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Missing, match="make room") as caught:
        put(disk, "a/b", b"x")
    assert caught.value.part == "store"
    assert files(root) == []


def test_a_linked_folder_leads_nowhere(disk: DiskStore, root: Path, put: Put, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"not ours")
    (root / "way").symlink_to(outside)
    for ask in (
        lambda: disk.size("way/secret"),
        lambda: disk.open_range("way/secret", 0, 1),
        lambda: disk.delete("way/secret"),
        lambda: put(disk, "way/new", b"x"),
    ):
        with pytest.raises(Missing, match="store"):
            ask()
    assert list(disk.keys("")) == []
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_a_linked_blob_is_not_read(disk: DiskStore, root: Path, put: Put, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"not ours")
    (root / "blob").symlink_to(tmp_path / "secret")
    with pytest.raises(Missing, match="store"):
        disk.size("blob")
    with pytest.raises(Missing, match="store"):
        put(disk, "blob", b"x")
    assert (tmp_path / "secret").read_bytes() == b"not ours"


def test_a_pipe_in_the_place_of_a_blob_does_not_stop_us(disk: DiskStore, root: Path) -> None:
    os.mkfifo(root / "blob")
    with pytest.raises(Missing, match="no file"):
        disk.open_range("blob", 0, 1)


def test_a_folder_that_is_gone_is_missing_and_not_empty(disk: DiskStore, root: Path, put: Put) -> None:
    put(disk, "a", b"x")
    root.rename(root.with_name("elsewhere"))
    for ask in (lambda: disk.size("a"), lambda: list(disk.keys("")), lambda: put(disk, "b", b"x"), disk.check):
        with pytest.raises(Missing, match="mount or make"):
            ask()


def test_strange_files_are_not_listed(disk: DiskStore, root: Path, put: Put) -> None:
    put(disk, "a/b", b"x")
    (root / "lost+found").mkdir()
    (root / "a" / ".DS_Store").write_bytes(b"")
    assert list(disk.keys("")) == ["a/b"]


def test_walking_opens_each_folder_once_however_many_blobs_it_holds(
    disk: DiskStore, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [f"{folder}/{number}" for folder in ("a/b", "a/c", "d") for number in range(20)]
    for key in made:
        put(disk, key, b"x")
    opened: list[object] = []
    really = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest, **more: opened.append(path) or really(path, *rest, **more))
    assert sorted(disk.keys("", before=datetime.max.replace(tzinfo=UTC))) == sorted(made)
    assert sorted(map(str, opened[1:])) == ["a", "b", "c", "d"]
    opened.clear()
    assert sorted(disk.keys("a/c/1")) == sorted(key for key in made if key.startswith("a/c/1"))
    assert opened[1:] == ["a", "c"]


def test_a_walk_that_is_broken_off_closes_its_folders(disk: DiskStore, root: Path, put: Put) -> None:
    for number in range(3):
        put(disk, f"a/b/{number}", b"x")
    walk = disk.keys("")
    assert next(walk)
    assert open_in(root)
    walk.close()  # type: ignore[attr-defined]
    assert not open_in(root)


class Unreadable:
    """What a folder says of a file, on a disk that fails."""

    name = ".tmp-left"

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return False

    def is_file(self, *, follow_symlinks: bool) -> bool:
        return True

    def stat(self, *, follow_symlinks: bool) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_disk_that_fails_while_it_is_swept_is_away(
    disk: DiskStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (root / Unreadable.name).touch()
    for name, fails in (("unlink", read_only), ("scandir", lambda _: nullcontext([Unreadable()]))):
        with monkeypatch.context() as broken, pytest.raises(Missing, match="check the folder"):
            broken.setattr(os, name, fails)
            disk.sweep(before=datetime.max.replace(tzinfo=UTC))


def test_what_is_deleted_while_it_is_walked_is_in_or_out(disk: DiskStore, put: Put) -> None:
    made = {f"a/{number}/blob" for number in range(50)}
    for key in made:
        put(disk, key, b"x")
    seen = set()
    for key in disk.keys("a/", before=datetime.max.replace(tzinfo=UTC)):
        seen.add(key)
        disk.delete(key)
    assert seen == made
    assert list(disk.keys("")) == []


def test_no_handle_is_left_open(disk: DiskStore, put: Put, tmp_path: Path) -> None:
    put(disk, "a/b", bytes(200_000))
    next(disk.open_range("a/b", 0, 200_000))
    list(disk.open_range("a/b", 0, 200_000))
    disk.fetch("a/b", tmp_path / "copy", sha256=hashlib.sha256(bytes(200_000)).hexdigest())
    list(disk.keys(""))
    disk.check()
    assert not open_in(tmp_path)
