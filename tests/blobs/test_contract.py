"""What every store promises: each test runs on disk and on S3."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bubbles.blobs.store import CHUNK_BYTES, BlobStore, Stored
from bubbles.errors import Missing

Put = Callable[[BlobStore, str, bytes], Stored]
SOUND = hashlib.shake_256(b"sound").digest(3 * CHUNK_BYTES + 17)
PUTS_AT_ONCE = 8
BAD_KEYS = [
    "", "/", "/a", "a/", "a//b", "..", "../a", "a/..", "a/../b", "a/./b", ".", ".tmp-a", "a/.tmp-b", "a\\b", "a b",
    "a\0b", "a\n", "ä", "a?b", "a%2e", "a" * 501, "a/" + "b" * 201,
]  # fmt: skip


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def whole(store: BlobStore, key: str) -> bytes:
    return b"".join(store.open_range(key, 0, store.size(key)))


def test_what_is_put_is_there(store: BlobStore, key: str, put: Put, tmp_path: Path) -> None:
    stored = put(store, key, SOUND)
    assert stored == Stored(key, len(SOUND), hashlib.sha256(SOUND).hexdigest())
    assert store.size(key) == len(SOUND)
    assert whole(store, key) == SOUND
    (tmp_path / "copy").write_bytes(b"older and longer" * CHUNK_BYTES)
    store.fetch(key, tmp_path / "copy", sha256=digest(SOUND))
    assert (tmp_path / "copy").read_bytes() == SOUND


def test_an_empty_blob_is_a_blob(store: BlobStore, key: str, put: Put, tmp_path: Path) -> None:
    put(store, key, b"")
    assert store.size(key) == 0
    assert list(store.open_range(key, 0, 10)) == []
    store.fetch(key, tmp_path / "copy", sha256=digest(b""))
    assert (tmp_path / "copy").read_bytes() == b""


def test_the_same_bytes_may_be_put_again(store: BlobStore, key: str, put: Put) -> None:
    assert put(store, key, SOUND) == put(store, key, SOUND)
    assert list(store.keys(key)) == [key]


@pytest.mark.parametrize("other", [SOUND[::-1], SOUND[:-1], b""], ids=["same length", "shorter", "empty"])
def test_other_bytes_never_replace_a_blob(store: BlobStore, key: str, put: Put, other: bytes) -> None:
    put(store, key, SOUND)
    with pytest.raises(FileExistsError):
        put(store, key, other)
    assert whole(store, key) == SOUND


def test_a_source_with_another_digest_is_not_kept(store: BlobStore, key: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(SOUND)
    with pytest.raises(ValueError, match="SHA-256"):
        store.put(key, tmp_path / "source", sha256=hashlib.sha256(b"").hexdigest(), content_type="audio/mp4")
    with pytest.raises(ValueError, match="lower-case hex"):
        store.put(key, tmp_path / "source", sha256="ABC", content_type="audio/mp4")
    assert list(store.keys(key)) == []


def test_a_source_that_is_gone_is_no_absent_blob(store: BlobStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(key, tmp_path / "none", sha256=hashlib.sha256(b"").hexdigest(), content_type="audio/mp4")


def test_of_many_puts_at_once_one_wins(guarding_store: BlobStore, key: str, put: Put) -> None:
    store = guarding_store
    barrier = Barrier(PUTS_AT_ONCE)

    def attempt(number: int) -> bytes | None:
        content = bytes([number]) * CHUNK_BYTES
        barrier.wait()
        try:
            put(store, key, content)
        except FileExistsError:
            return None
        return content

    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        won = [content for content in pool.map(attempt, range(PUTS_AT_ONCE)) if content is not None]
    assert won == [whole(store, key)]


def test_many_puts_of_the_same_bytes_all_succeed(store: BlobStore, key: str, put: Put) -> None:
    barrier = Barrier(PUTS_AT_ONCE)

    def attempt(_: int) -> Stored:
        barrier.wait()
        return put(store, key, SOUND)

    with ThreadPoolExecutor(PUTS_AT_ONCE) as pool:
        assert len(set(pool.map(attempt, range(PUTS_AT_ONCE)))) == 1
    assert whole(store, key) == SOUND


def test_a_range_is_a_slice(store: BlobStore, put: Put) -> None:
    put(store, "test/slices", SOUND)
    bound = st.integers(0, len(SOUND) + CHUNK_BYTES) | st.sampled_from([0, 1, CHUNK_BYTES, len(SOUND)])

    @settings(max_examples=60, deadline=None)
    @given(bound, bound)
    def check(start: int, stop: int) -> None:
        chunks = list(store.open_range("test/slices", start, stop))
        assert b"".join(chunks) == SOUND[start:stop]
        assert all(0 < len(chunk) <= CHUNK_BYTES for chunk in chunks)

    check()


def test_a_range_may_be_left_early(store: BlobStore, key: str, put: Put) -> None:
    put(store, key, SOUND)
    for _ in range(60):  # more than there are connections to the store
        assert next(store.open_range(key, 5, len(SOUND)))[:3] == SOUND[5:8]


@pytest.mark.parametrize("bounds", [(-1, 5), (0, -1)])
def test_no_range_counts_from_the_end(store: BlobStore, key: str, bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="range"):
        store.open_range(key, *bounds)


def test_an_absent_blob_is_a_key_error(store: BlobStore, key: str, tmp_path: Path) -> None:
    for ask in (
        lambda: store.size(key),
        lambda: store.open_range(key, 0, 10),
        lambda: store.open_range(key, 5, 5),
        lambda: store.open_range("no/such/folder", 0, 10),
        lambda: store.fetch(key, tmp_path / "copy", sha256=digest(SOUND)),
    ):
        with pytest.raises(KeyError):
            ask()
    assert not (tmp_path / "copy").exists()


def test_a_deleted_blob_is_gone(store: BlobStore, key: str, put: Put) -> None:
    put(store, key, SOUND)
    store.delete(key)
    store.delete(key)
    store.delete("no/such/folder")
    with pytest.raises(KeyError):
        store.size(key)
    put(store, key, b"other bytes")
    assert whole(store, key) == b"other bytes"


def test_keys_are_listed_by_their_beginning(store: BlobStore, put: Put) -> None:
    names = ["list/a", "list/a.m4a", "list/ab/c", "list/ab/d/e", "list/b", "listen"]
    for name in names:
        put(store, name, b"x")
    expected = {prefix: {name for name in names if name.startswith(prefix)} for prefix in ("list", "list/", "list/a")}
    expected |= {"list/ab/": {"list/ab/c", "list/ab/d/e"}, "list/b": {"list/b"}, "list/none/": set(), "x": set()}
    assert {prefix: set(store.keys(prefix)) for prefix in expected} == expected
    assert set(names) <= set(store.keys(""))


def test_keys_are_listed_by_their_age(store: BlobStore, key: str, put: Put) -> None:
    put(store, key, b"x")
    an_hour = timedelta(hours=1)  # far more than two clocks may differ
    assert list(store.keys(key, before=datetime.now(UTC) - an_hour)) == []
    assert list(store.keys(key, before=datetime.now(UTC) + an_hour)) == [key]


@pytest.mark.parametrize("bad", BAD_KEYS)
def test_what_is_no_key_reaches_no_store(store: BlobStore, bad: str, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"")
    for ask in (
        lambda: store.put(bad, tmp_path / "source", sha256=hashlib.sha256(b"").hexdigest(), content_type="a/b"),
        lambda: store.open_range(bad, 0, 1),
        lambda: store.size(bad),
        lambda: store.fetch(bad, tmp_path / "copy", sha256=digest(b"")),
        lambda: store.delete(bad),
    ):
        with pytest.raises(ValueError, match="Not a key"):
            ask()


@pytest.mark.parametrize("bad", ["/", "../", "a/../", ".tmp-", "a//", "a b"])
def test_what_begins_no_key_is_not_listed(store: BlobStore, bad: str) -> None:
    with pytest.raises(ValueError, match="Not the beginning"):
        list(store.keys(bad))


def test_bytes_with_another_digest_are_not_taken(store: BlobStore, key: str, put: Put, tmp_path: Path) -> None:
    put(store, key, SOUND)
    (tmp_path / "copy").write_bytes(b"older")
    with pytest.raises(Missing, match="other bytes") as caught:
        store.fetch(key, tmp_path / "copy", sha256=digest(SOUND[::-1]))
    assert caught.value.part == "store"
    assert not (tmp_path / "copy").exists()
    with pytest.raises(ValueError, match="lower-case hex"):
        store.fetch(key, tmp_path / "copy", sha256="")


def test_a_full_disk_at_the_target_is_missing(store: BlobStore, key: str, put: Put, tmp_path: Path) -> None:
    put(store, key, SOUND)
    target = tmp_path / "copy"
    target.symlink_to("/dev/full")  # of the two, the link is what a failed fetch removes
    with pytest.raises(Missing, match="make room"):
        store.fetch(key, target, sha256=digest(SOUND))
    assert not target.is_symlink()


def test_a_sweep_touches_no_blob(store: BlobStore, key: str, put: Put) -> None:
    put(store, key, SOUND)
    assert store.sweep(before=datetime.max.replace(tzinfo=UTC)) == 0
    assert whole(store, key) == SOUND


def test_a_good_store_passes_its_check_and_keeps_nothing_of_it(store: BlobStore) -> None:
    store.check()
    assert list(store.keys("probe/")) == []
