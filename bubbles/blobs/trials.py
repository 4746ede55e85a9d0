"""Trying a store: put, get, range, list, the guard against overwriting and delete, each for itself."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from bubbles.blobs.store import CHUNK_BYTES, BlobStore, Trial, put_bytes
from bubbles.errors import Missing

UNGUARDED = (
    "The store overwrites blobs: set conditional=no in BUBBLES_BLOB_URL, so that it is asked before every put; "
    "two puts at the same moment may then still overwrite each other, which keys that name their bytes make harmless."
)

SPOILS = "The store gives other bytes than it was given."
LOST = "The store loses what it was given: check that no one empties it."


def tried(store: BlobStore) -> Iterator[Trial]:
    """Each promise with what is wrong with it. What needs a blob is tried only when one could be put."""
    key = f"probe/{secrets.token_hex(16)}"
    content = secrets.token_bytes(CHUNK_BYTES + 1)
    try:
        put = _tried("put", lambda: put_bytes(store, key, content))
        yield put
        if not put.fault:
            yield from _with_a_blob(store, key, content)
        yield _tried("list", lambda: _require(key in store.keys(key) or put.fault, "The store does not list a blob."))
    finally:
        yield _tried("delete", lambda: _delete(store, key))


def require_faithful(store: BlobStore) -> None:
    """Raises `Missing("store")` unless the store gives a new blob back as it was given; the blob is removed."""
    key, content = f"probe/{secrets.token_hex(16)}", secrets.token_bytes(CHUNK_BYTES + 1)
    try:
        put_bytes(store, key, content)
        with TemporaryDirectory() as folder:
            store.fetch(key, Path(folder) / "copy", sha256=hashlib.sha256(content).hexdigest())
    except KeyError:
        raise Missing("store", LOST) from None
    except FileExistsError:  # nobody else has the key: what was put has become other bytes
        raise Missing("store", SPOILS) from None
    finally:
        store.delete(key)


def _with_a_blob(store: BlobStore, key: str, content: bytes) -> Iterator[Trial]:
    def get() -> None:
        _require(_read(store, key, 0, len(content)) == content, SPOILS)

    def ranged() -> None:
        _require(_read(store, key, 7, 9) == content[7:9], "The store gives other bytes than a range asks for.")

    yield _tried("get", get)
    yield _tried("range", ranged)
    yield _tried("guard", lambda: _require(_refuses(store, key, content[::-1]), UNGUARDED))


def _tried(name: str, ask: Callable[[], None]) -> Trial:
    try:
        ask()
    except Missing as missing:
        return Trial(name, missing.detail)
    except KeyError:
        return Trial(name, LOST)
    except FileExistsError:
        return Trial(name, SPOILS)
    return Trial(name)


def _require(kept: object, otherwise: str) -> None:
    if not kept:
        raise Missing("store", otherwise)


def _read(store: BlobStore, key: str, start: int, stop: int) -> bytes:
    return b"".join(store.open_range(key, start, stop))


def _delete(store: BlobStore, key: str) -> None:
    store.delete(key)
    try:
        store.size(key)
    except KeyError:
        return
    raise Missing("store", "The store keeps what is deleted: withdrawing a bubble would not purge it.")


def _refuses(store: BlobStore, key: str, content: bytes) -> bool:
    try:
        put_bytes(store, key, content)
    except FileExistsError:
        return True
    return False
