"""Blobs in a bucket of S3 or of a server that speaks its language.

A blob is one conditional PUT (`If-None-Match: *`) that carries its checksum, and is looked at again before it counts.
Where a store refuses one of the two, it is asked without, and remembered; then the key is looked at before the PUT.
"""

import base64
import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from bubbles.blobs import oddities
from bubbles.blobs.bucket import ATTEMPTS_MAX, Address, Bucket, Patience, code, give_time
from bubbles.blobs.store import (
    CHUNK_BYTES,
    KEY,
    Spoiled,
    Stored,
    Trial,
    checked_digest,
    checked_key,
    checked_prefix,
    checked_range,
    measured,
    require,
    started,
)
from bubbles.blobs.trials import tried
from bubbles.blobs.watch import hold, require_time
from bubbles.errors import Missing

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
PAST_THE_END = {"InvalidRange", "416"}
UNKNOWN = {"NotImplemented", "501", "InvalidArgument", "InvalidRequest", "UnsupportedOperation", "400"}
"""How servers answer a header that they do not know."""

Manner = tuple[bool, bool]
"""Whether a PUT is conditional, and whether it carries its checksum."""


class S3Store:
    """A BlobStore in a bucket."""

    def __init__(
        self,
        address: Address,
        *,
        access_key_id: str = "",
        secret_access_key: str = "",
        patience: Patience | None = None,
    ) -> None:
        self._bucket = Bucket(
            address,
            access_key_id=access_key_id,
            secret_access_key=secret_access_key,
            patience=patience or Patience(),
        )
        self._prefix = address.prefix
        self._manner: Manner = (address.has_conditions, address.has_checksums)

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        """See BlobStore."""
        checked_digest(sha256)
        length_bytes = measured(source, sha256)
        stored = Stored(key, length_bytes, sha256)
        with self._bucket.asking(key, length_bytes=length_bytes):
            self._send(stored, source, content_type)
            try:
                self._look_again(stored)
            except KeyError:
                raise self._bucket.missing("another request was busy with the same key; try again") from None
        return stored

    def _send(self, stored: Stored, source: Path, content_type: str) -> None:
        """Put the bytes unless the key is taken, in the first manner that the server knows."""
        conditional, checked = self._manner
        manners = ((conditional, checked), (False, checked), (conditional, False), (False, False))
        for manner in dict.fromkeys(manners):
            try:
                self._send_so(manner, stored, source, content_type)
            except ClientError as error:
                if code(error) not in UNKNOWN or not any(manner):
                    raise
            else:
                self._manner = manner
                return

    def _send_so(self, manner: Manner, stored: Stored, source: Path, content_type: str) -> None:
        conditional, checked = manner
        if not conditional:
            with suppress(KeyError):
                return self._look_again(stored)
        asked = {"IfNoneMatch": "*"} if conditional else {}
        if checked:
            asked["ChecksumSHA256"] = _base64(stored.sha256)
        with source.open("rb") as content, _taken_is_fine():
            self._bucket.client.put_object(
                Bucket=self._bucket.name,
                Key=self._name(stored.key),
                Body=content,
                ContentLength=stored.length_bytes,
                ContentType=content_type,
                **asked,  # type: ignore[arg-type] # all of its values are strings
            )
        return None

    def _look_again(self, stored: Stored) -> None:
        """Raise FileExistsError unless the store holds these bytes under the key."""
        head = self._head(stored.key)
        same = self._length(head) == stored.length_bytes
        if same and head.get("ChecksumSHA256") != _base64(stored.sha256):
            same = self._digest(stored.key, stored.length_bytes) == stored.sha256  # not every server tells checksums
        if not same:
            raise FileExistsError(f"Other bytes have the key {stored.key} already.")

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """See BlobStore. A connection that is cut is taken up where it was, since a blob never changes."""
        checked_range(start, stop)
        if start >= stop:
            self._head(key)
            return iter(())
        return started(self._chunks(key, start, stop))

    def _chunks(self, key: str, start: int, stop: int) -> Generator[bytes]:
        for is_last in (*[False] * (ATTEMPTS_MAX - 1), True):
            found = self._open(key, start, stop)
            if found is None:
                return
            body, stop = found
            with closing(body):
                while start < stop and (chunk := self._read(body, key, is_last=is_last)):
                    yield chunk
                    start += len(chunk)
            if start >= stop:
                return
        raise self._bucket.missing("it ends a blob too early; see its log")

    def _open(self, key: str, start: int, stop: int) -> tuple[StreamingBody, int] | None:
        """The bytes from `start` on and where they end; None when the blob ends before."""
        with self._bucket.asking(key):
            try:
                answer = self._bucket.client.get_object(
                    Bucket=self._bucket.name, Key=self._name(key), Range=f"bytes={start}-{stop - 1}"
                )
            except ClientError as error:
                if code(error) in PAST_THE_END:
                    return None
                raise
            try:
                return answer["Body"], min(stop, start + self._length_from(start, answer))
            except Missing:
                answer["Body"].close()
                raise

    def _length_from(self, start: int, answer: "GetObjectOutputTypeDef") -> int:
        length_bytes = self._length(answer)
        if length_bytes and not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
            raise self._bucket.missing("it answers a range with something else; use a store that knows ranges")
        return length_bytes

    def _read(self, body: StreamingBody, key: str, *, is_last: bool) -> bytes:
        """The next chunk; empty when the connection is cut, unless it is the last that we try."""
        with self._bucket.asking(key):
            hold(body)
            try:
                return body.read(CHUNK_BYTES)
            except BotoCoreError:
                if is_last:
                    raise
                return b""

    def size(self, key: str) -> int:
        """See BlobStore."""
        return self._length(self._head(key))

    def fetch(self, key: str, target: Path, *, sha256: str) -> None:
        """See BlobStore. A connection that is cut, or bytes that are wrong, are asked for again."""
        checked_digest(sha256)
        self._name(key)
        try:
            with self._bucket.asking(key):
                for is_last in (*[False] * (ATTEMPTS_MAX - 1), True):
                    if self._copy(key, target, is_last=is_last) == sha256:
                        return
            raise Spoiled(key)
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    def _copy(self, key: str, target: Path, *, is_last: bool) -> str | None:
        """Write the blob into the target; its digest, or None when the connection was cut."""
        answer = self._bucket.client.get_object(Bucket=self._bucket.name, Key=self._name(key))
        digest = hashlib.sha256()
        with closing(answer["Body"]) as body, target.open("wb") as copy:
            give_time(self._length(answer))
            try:
                for chunk in body.iter_chunks(CHUNK_BYTES):
                    require_time()
                    digest.update(chunk)
                    copy.write(chunk)
            except BotoCoreError:
                if is_last:
                    raise
                return None
        return digest.hexdigest()

    def delete(self, key: str) -> None:
        """See BlobStore."""
        with suppress(KeyError), self._bucket.asking(key):
            self._bucket.client.delete_object(Bucket=self._bucket.name, Key=self._name(key))

    def keys(self, prefix: str, *, before: datetime | None = None) -> Iterator[str]:
        """See BlobStore."""
        whole = f"{self._prefix}{checked_prefix(prefix)}"
        pages = iter(
            self._bucket.client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket.name, Prefix=whole)
        )
        while True:
            with self._bucket.asking(prefix):
                page = next(pages, None)
            if page is None:
                return
            found = (each for each in page.get("Contents", ()) if before is None or each["LastModified"] < before)
            names = (each["Key"].removeprefix(self._prefix) for each in found)
            yield from filter(KEY.fullmatch, names)

    def sweep(self, *, before: datetime) -> int:  # noqa: ARG002 - the same for all stores
        """See BlobStore. A put is one request: an interrupted one leaves nothing."""
        return 0

    def trials(self) -> Iterator[Trial]:
        """See BlobStore. Beside that, what is odd about the bucket."""
        yield from tried(self)
        yield from oddities.found(self._bucket, self._prefix)

    def check(self) -> None:
        """See BlobStore."""
        require(tried(self))

    def link(self, key: str, *, valid_s: int, content_type: str, cache_control: str, method: str = "GET") -> str:
        """See Linking."""
        asked = {
            "Bucket": self._bucket.name,
            "Key": self._name(key),
            "ResponseContentType": content_type,
            "ResponseCacheControl": cache_control,
        }
        with self._bucket.asking(key):
            return self._bucket.client.generate_presigned_url(
                f"{method.lower()}_object", Params=asked, ExpiresIn=valid_s
            )

    def _name(self, key: str) -> str:
        return f"{self._prefix}{checked_key(key)}"

    def _head(self, key: str) -> "HeadObjectOutputTypeDef":
        with self._bucket.asking(key):
            return self._bucket.client.head_object(
                Bucket=self._bucket.name, Key=self._name(key), ChecksumMode="ENABLED"
            )

    def _length(self, answer: "HeadObjectOutputTypeDef | GetObjectOutputTypeDef") -> int:
        """A head that was cut off may lack it, which must not look as if the blob were absent."""
        if "ContentLength" not in answer:
            raise self._bucket.missing("it tells no length; see its log")
        return answer["ContentLength"]

    def _digest(self, key: str, length_bytes: int) -> str:
        give_time(length_bytes)
        digest = hashlib.sha256()
        for chunk in self.open_range(key, 0, length_bytes):
            require_time()
            digest.update(chunk)
        return digest.hexdigest()


@contextmanager
def _taken_is_fine() -> Iterator[None]:
    """A key that is taken is no error yet: the same bytes may be there."""
    try:
        yield
    except ClientError as error:
        if code(error) not in TAKEN:
            raise


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
