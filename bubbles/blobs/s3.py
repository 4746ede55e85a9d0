"""Blobs in a bucket of S3 or of a server that speaks its language. The only user of boto3.

The bucket is private and stays so: no request names an ACL. A blob is one conditional PUT (`If-None-Match: *`) that
carries its checksum, and is looked at again before it counts.
"""

import base64
import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bubbles.blobs.store import (
    CHUNK_BYTES,
    KEY,
    Stored,
    checked_digest,
    checked_key,
    checked_prefix,
    checked_range,
    probe,
    started,
)
from bubbles.errors import Missing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

ATTEMPTS_MAX = 3
CONNECT_MAX_S = 5
SILENCE_MAX_S = 20
CONNECTIONS_MAX = 50
ABSENT = {"NoSuchKey", "404", "NotFound"}
TAKEN = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
PAST_THE_END = {"InvalidRange", "416"}
ADVICE = {
    401: "it refuses our credentials; check BUBBLES_S3_ACCESS_KEY_ID and BUBBLES_S3_SECRET_ACCESS_KEY",
    403: "it refuses us; check BUBBLES_S3_ACCESS_KEY_ID, BUBBLES_S3_SECRET_ACCESS_KEY and the rights of that key",
    404: "there is no such bucket; make it or correct BUBBLES_BLOB_URL",
}


class S3Store:
    """A BlobStore in `bucket`, all keys behind `prefix`, which is empty or ends in `/`.

    With an `endpoint` the bucket is a part of the path, else of the host name. Nothing is sent before it is asked
    for a blob.
    """

    def __init__(
        self, bucket: str, *, prefix: str, endpoint: str, region: str, access_key_id: str, secret_access_key: str
    ) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or ("us-east-1" if endpoint else None),
            aws_access_key_id=access_key_id or None,
            aws_secret_access_key=secret_access_key or None,
            config=_config(path_style=bool(endpoint)),
        )

    def put(self, key: str, source: Path, *, sha256: str, content_type: str) -> Stored:
        """See BlobStore."""
        checked_digest(sha256)
        length_bytes = _measure(source, sha256)
        with source.open("rb") as content, self._asking(key), _taken_is_fine():
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._name(key),
                Body=content,
                ContentLength=length_bytes,
                ContentType=content_type,
                ChecksumSHA256=_base64(sha256),
                IfNoneMatch="*",
            )
        try:
            self._look_again(key, length_bytes, sha256)
        except KeyError:
            raise self._missing("another request was busy with the same key; try again") from None
        return Stored(key, length_bytes, sha256)

    def _look_again(self, key: str, length_bytes: int, sha256: str) -> None:
        """Raise FileExistsError unless the store holds these bytes under the key."""
        head = self._head(key)
        same = head["ContentLength"] == length_bytes
        if same and head.get("ChecksumSHA256") != _base64(sha256):
            same = self._digest(key) == sha256  # not every server tells checksums
        if not same:
            raise FileExistsError(f"Other bytes have the key {key} already.")

    def open_range(self, key: str, start: int, stop: int) -> Iterator[bytes]:
        """See BlobStore."""
        checked_range(start, stop)
        if start >= stop:
            self._head(key)
            return iter(())
        return started(self._chunks(key, f"bytes={start}-{stop - 1}"))

    def _chunks(self, key: str, bytes_range: str) -> Generator[bytes]:
        with self._asking(key):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=self._name(key), Range=bytes_range)
            except ClientError as error:
                if _code(error) in PAST_THE_END:
                    return
                raise
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(CHUNK_BYTES)

    def size(self, key: str) -> int:
        """See BlobStore."""
        return self._head(key)["ContentLength"]

    def fetch(self, key: str, target: Path) -> None:
        """See BlobStore."""
        with self._asking(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=self._name(key))
        with closing(answer["Body"]) as body, target.open("wb") as copy:
            try:
                with self._asking(key):
                    for chunk in body.iter_chunks(CHUNK_BYTES):
                        copy.write(chunk)
                    copy.flush()
            except BaseException:
                target.unlink()
                raise

    def delete(self, key: str) -> None:
        """See BlobStore."""
        with suppress(KeyError), self._asking(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def keys(self, prefix: str) -> Iterator[str]:
        """See BlobStore."""
        whole = f"{self._prefix}{checked_prefix(prefix)}"
        with self._asking(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=whole):
                names = (found["Key"].removeprefix(self._prefix) for found in page.get("Contents", ()))
                yield from filter(KEY.fullmatch, names)

    def sweep(self, *, before: datetime) -> int:  # noqa: ARG002 - the same for all stores
        """See BlobStore. A put is one request: an interrupted one leaves nothing."""
        return 0

    def check(self) -> None:
        """See BlobStore."""
        probe(self)

    def link(self, key: str, *, valid_s: int, content_type: str, cache_control: str, method: str = "GET") -> str:
        """See Linking."""
        asked = {
            "Bucket": self._bucket,
            "Key": self._name(key),
            "ResponseContentType": content_type,
            "ResponseCacheControl": cache_control,
        }
        with self._asking(key):
            return self._client.generate_presigned_url(f"{method.lower()}_object", Params=asked, ExpiresIn=valid_s)

    def _name(self, key: str) -> str:
        return f"{self._prefix}{checked_key(key)}"

    def _head(self, key: str) -> "HeadObjectOutputTypeDef":
        with self._asking(key):
            return self._client.head_object(Bucket=self._bucket, Key=self._name(key), ChecksumMode="ENABLED")

    def _digest(self, key: str) -> str:
        digest = hashlib.sha256()
        for chunk in self.open_range(key, 0, self.size(key)):
            digest.update(chunk)
        return digest.hexdigest()

    @contextmanager
    def _asking(self, key: str) -> Iterator[None]:
        """Say what an error of the store, the network or the local disk means for the blob."""
        try:
            yield
        except ClientError as error:
            if _code(error) in ABSENT and self._has_bucket():
                raise KeyError(key) from None
            raise self._missing(_advice(error)) from error
        except BotoCoreError as error:
            raise self._missing(f"it cannot be reached ({type(error).__name__}); see that it runs") from error
        except OSError as error:
            raise Missing("store", f"The blob's file here says: {error.strerror}; make room.") from error

    def _has_bucket(self) -> bool:
        """Whether an absent blob is that, and not an absent bucket: the answer to HEAD is the same for both."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except (ClientError, BotoCoreError):
            return False
        return True

    def _missing(self, why: str) -> Missing:
        return Missing("store", f"The bucket {self._bucket} does not do what it is asked: {why}.")


def _config(*, path_style: bool) -> Config:
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": "path" if path_style else "auto"},
        retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
        connect_timeout=CONNECT_MAX_S,
        read_timeout=SILENCE_MAX_S,
        max_pool_connections=CONNECTIONS_MAX,
        # Ours are sent and compared; servers other than Amazon's stumble over those that boto3 adds by itself.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


@contextmanager
def _taken_is_fine() -> Iterator[None]:
    """A key that is taken is no error yet: the same bytes may be there."""
    try:
        yield
    except ClientError as error:
        if _code(error) not in TAKEN:
            raise


def _code(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def _advice(error: ClientError) -> str:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    return ADVICE.get(status, f"it answers {status} {_code(error)}; see its log")


def _measure(source: Path, sha256: str) -> int:
    """Length in bytes; raises ValueError when the digest is another."""
    with source.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != sha256:
            raise ValueError(f"The source has SHA-256 {digest}, not {sha256}.")
        return content.tell()


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode()
