"""A store on its way to another: what is new goes to the new one, what goes goes from both."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bubbles.blobs.store import BlobStore, Stored, Trial, require
from bubbles.errors import Missing

Answer = TypeVar("Answer")


class MovingStore:
    """A BlobStore of two: the new one, `after`, and the former one, `before`, which takes no new blob.

    What copies a blob from `before` to `after` must look, when it has, whether the blob was deleted meanwhile: `delete`
    begins with the former store, so that either the copy is deleted here or its maker sees that the blob is gone.
    """

    def __init__(self, after: BlobStore, before: BlobStore) -> None:
        self.after = after
        self.before = before

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        """See BlobStore. The former store guards its keys too."""
        with suppress(KeyError):
            if digest_of(self.before, key) != sha256:
                raise FileExistsError(f"Other bytes have the key {key} already.")
        return self.after.put(key, source, sha256=sha256, content_type=content_type)

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """See BlobStore."""
        return self._either(lambda store: store.open_range(key, start, stop))

    def size(self, key: str) -> int:
        """See BlobStore."""
        return self._either(lambda store: store.size(key))

    def fetch(self, key: str, target: Path, *, sha256: str) -> None:
        """See BlobStore."""
        self._either(lambda store: store.fetch(key, target, sha256=sha256))

    def _either(self, ask: Callable[[BlobStore], Answer]) -> Answer:
        try:
            return ask(self.after)
        except KeyError:
            return ask(self.before)

    def delete(self, key: str) -> None:
        """See BlobStore."""
        self.before.delete(key)
        self.after.delete(key)

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        """See BlobStore. It remembers the names of the new store: about 180 MiB for a million."""
        seen = set()
        for key in self.after.keys(prefix, before=before):
            seen.add(key)
            yield key
        yield from (key for key in self.before.keys(prefix, before=before) if key not in seen)

    def sweep(self, *, before: datetime) -> int:
        """See BlobStore."""
        return self.after.sweep(before=before) + self.before.sweep(before=before)

    def trials(self) -> Iterator[Trial]:
        """See BlobStore. The former store is only read."""
        yield from self.after.trials()
        try:
            self.before.size("ready")
        except KeyError:
            pass
        except Missing as missing:
            yield Trial("the former store", missing.detail)
            return
        yield Trial("the former store")

    def check(self) -> None:
        """See BlobStore."""
        require(self.trials())


def digest_of(store: BlobStore, key: str) -> str:
    """SHA-256 of a blob, in lower-case hex; raises KeyError when absent."""
    digest = hashlib.sha256()
    for chunk in store.open_range(key, 0, store.size(key)):
        digest.update(chunk)
    return digest.hexdigest()
