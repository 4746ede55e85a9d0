"""What URLs name a store, and what a check of a store notices."""

import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bubbles.blobs.address import open_store
from bubbles.blobs.disk import DiskStore
from bubbles.blobs.s3 import S3Store
from bubbles.blobs.store import Stored, put_bytes
from bubbles.blobs.trials import require_faithful
from bubbles.errors import Missing


def test_bytes_on_their_way_lie_in_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is killed while it puts them leaves nothing behind."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "between"))
    (tmp_path / "between").mkdir()
    store, there = DiskStore(tmp_path / "blobs"), []
    put = store.put
    monkeypatch.setattr(store, "put", lambda *a, **kw: (there.extend((tmp_path / "between").iterdir()), put(*a, **kw)))
    put_bytes(store, "a/b", b"content")
    assert b"".join(store.open_range("a/b", 0, 7)) == b"content"
    assert there == []


def test_a_folder_with_odd_letters_is_a_store(tmp_path: Path) -> None:
    folder = tmp_path / "mes données #1 100%"
    assert isinstance(open_store(folder.as_uri()), DiskStore)
    assert folder.is_dir()


@pytest.mark.parametrize(
    "url",
    [
        "s3://bucket",
        "s3://bucket/",
        "s3://bucket/a/b",
        "s3://bucket/a?endpoint=http://127.0.0.1:1/s3&region=eu-west-1&addressing=virtual&conditional=no&checksums=no",
    ],
)
def test_a_bucket_is_a_store(url: str) -> None:
    assert isinstance(open_store(url, access_key_id="id", secret_access_key="secret"), S3Store)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/folder",
        "http://host/bucket",
        "file://folder/blobs",
        "file:relative",
        "file:///",
        "file:///a/../b",
        "file:///a?b=c",
        "s3://",
        "s3:///prefix",
        "s3://Bucket_/a",
        "s3://bucket/../a",
        "s3://bucket/a b",
        "s3://bucket/?endpoint=ftp://host",
        "s3://bucket/?endpoint=host",
        "s3://bucket/?region=a&region=b",
        "s3://bucket/?acl=public-read",
        "s3://bucket/?addressing=host",
        "s3://bucket/?conditional=maybe",
        "s3://bucket/?region=a b",
    ],
)
def test_anything_else_is_no_store(url: str) -> None:
    with pytest.raises(ValueError, match="store"):
        open_store(url)


def test_half_of_the_credentials_are_none() -> None:
    with pytest.raises(ValueError, match="or neither"):
        open_store("s3://bucket", access_key_id="id")


class Overwriting(DiskStore):
    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        self.delete(key)
        return super().put(key, source, sha256=sha256, content_type=content_type)


class Forgetting(DiskStore):
    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        return Stored(key, 0, sha256)


class Hiding(DiskStore):
    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        return iter(())


class Garbling(DiskStore):
    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        return super().open_range(key, 0, stop)


class Spoiling(DiskStore):
    """As a bucket that tells no checksum, and is looked at again."""

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        super().put(key, source, sha256=sha256, content_type=content_type)
        raise FileExistsError(f"Other bytes have the key {key} already.")


@pytest.mark.parametrize("kind", [Overwriting, Forgetting, Hiding, Garbling, Spoiling])
def test_a_store_that_keeps_no_promise_fails_its_check(kind: type[DiskStore], tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        kind(tmp_path).check()
    assert caught.value.part == "store"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", [Forgetting, Spoiling])
def test_a_store_that_does_not_give_back_what_it_was_given_is_not_faithful(
    kind: type[DiskStore], tmp_path: Path
) -> None:
    with pytest.raises(Missing) as caught:
        require_faithful(kind(tmp_path))
    assert caught.value.part == "store"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
