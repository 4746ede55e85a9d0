"""A bucket, asked by way of boto3, and nothing else uses it: what its errors mean, and how long an answer may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError, NoCredentialsError
from botocore.parsers import ResponseParserError

from bubbles.blobs import watch
from bubbles.blobs.watch import OutOfTime
from bubbles.errors import Missing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ATTEMPTS_MAX = 3
"""How often a request is tried. boto3 keeps a budget of tries beside that all calls share, so that a store that
fails is not asked three times as often as one that works."""

SLOWEST_BYTES_PER_S = 256 * 1024
CONNECTIONS_MAX = 50
ABSENT = {"NoSuchKey", "404", "NotFound"}
CREDENTIALS = "BUBBLES_S3_ACCESS_KEY_ID and BUBBLES_S3_SECRET_ACCESS_KEY"
RIGHTS = {
    "PutObject": "s3:PutObject",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject and s3:ListBucket",
    "DeleteObject": "s3:DeleteObject",
    "ListObjectsV2": "s3:ListBucket",
    "HeadBucket": "s3:ListBucket",
    "GetBucketVersioning": "s3:GetBucketVersioning",
}
"""What a key must be allowed to. Without s3:ListBucket an absent blob is answered as a forbidden one."""

ADVICE = {
    "RequestTimeTooSkewed": "the clock of this machine is wrong; set it by NTP",
    "PermanentRedirect": "the bucket is elsewhere; set its region, or endpoint, in BUBBLES_BLOB_URL",
    "AuthorizationHeaderMalformed": "the bucket is in another region; set region in BUBBLES_BLOB_URL",
    "SignatureDoesNotMatch": f"the secret does not fit the key; check {CREDENTIALS}",
    "InvalidAccessKeyId": f"it does not know our key; check {CREDENTIALS}",
    "NoSuchBucket": "there is no such bucket; make it or correct BUBBLES_BLOB_URL",
    301: "the bucket is elsewhere; set its region, or endpoint, in BUBBLES_BLOB_URL",
    401: f"it refuses our credentials; check {CREDENTIALS}",
    404: "there is no such bucket; make it or correct BUBBLES_BLOB_URL",
}


@dataclass(frozen=True)
class Patience:
    """How long a bucket is waited for, in seconds: to connect, for its next byte, and for one call of a store.

    A call that takes longer than `call_s`, and a second more for every 256 KiB of the blob, is cut off wherever it is.
    """

    connect_s: float = 5
    silence_s: float = 20
    call_s: float = 30


@dataclass(frozen=True)
class Address:
    """A bucket and how it wants to be spoken to: all blobs have keys behind `prefix`, which is empty or ends in `/`.

    `addressing` is `path`, `virtual` (the bucket is a part of the host's name), or `auto`: as Amazon would like it.
    """

    bucket: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    addressing: Literal["path", "virtual", "auto"] = "auto"
    has_conditions: bool = True
    has_checksums: bool = True


class Bucket:
    """A client of the bucket. Nothing is sent before it is asked for something. The bucket is private and stays so:
    no request names an ACL."""

    def __init__(
        self,
        address: Address,
        *,
        access_key_id: str,
        secret_access_key: str,
        patience: Patience,
        is_signed: bool = True,
    ) -> None:
        self.name = address.bucket
        self._address = address
        self._patience = patience
        self.client: S3Client = boto3.session.Session().client(
            "s3",
            endpoint_url=address.endpoint or None,
            region_name=address.region or ("us-east-1" if address.endpoint else None),
            aws_access_key_id=access_key_id or None,
            aws_secret_access_key=secret_access_key or None,
            config=_config(address, patience, is_signed=is_signed),
        )
        watch.install(self.client)

    @contextmanager
    def asking(self, key: str, *, length_bytes: int = 0) -> Iterator[None]:
        """Say what an error of the bucket, the network or the local disk means for the blob, and begin to count time.

        Raises KeyError or `Missing("store")`. A call within a call has the time that the outer one has.
        """
        try:
            with watch.watched(self._patience.call_s + _time_of(length_bytes)):
                yield
        except ClientError as error:
            if code(error) in ABSENT and self._is_there(error):
                raise KeyError(key) from None
            raise self.missing(_advice(error)) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise self.missing(_unreachable(error)) from error
        except OutOfTime:
            raise self.missing(f"it has not answered in {self._patience.call_s:g} s; see that it runs") from None
        except FileExistsError:
            raise
        except OSError as error:
            raise Missing("store", f"The blob's file here says: {error.strerror}; make room.") from error

    def missing(self, why: str) -> Missing:
        """What is raised for the whole bucket."""
        return Missing("store", f"The bucket {self.name} does not do what it is asked: {why}.")

    def stranger(self) -> "Bucket":
        """The same bucket, asked by somebody without credentials."""
        return Bucket(self._address, access_key_id="", secret_access_key="", patience=self._patience, is_signed=False)

    def _is_there(self, error: ClientError) -> bool:
        """Whether an absent blob is that, and not an absent bucket: the answer to HEAD is the same for both."""
        if code(error) == "NoSuchKey":
            return True
        try:
            self.client.head_bucket(Bucket=self.name)
        except ClientError as found:
            return status(found) not in {301, 404}  # who may not list it is told 403
        except (BotoCoreError, OutOfTime):
            return False
        return True


def give_time(length_bytes: int) -> None:
    """Let the call that is under way in this thread take as much longer as so many bytes may take."""
    watch.give_time(_time_of(length_bytes))


def _time_of(length_bytes: int) -> float:
    return length_bytes / SLOWEST_BYTES_PER_S


def code(error: ClientError) -> str:
    """What S3 calls the error: a name, or the status when the answer has no body."""
    return error.response["Error"]["Code"]


def status(error: ClientError) -> int:
    """The HTTP status of the answer."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _config(address: Address, patience: Patience, *, is_signed: bool) -> Config:
    return Config(
        signature_version="s3v4" if is_signed else UNSIGNED,
        s3={"addressing_style": address.addressing},
        retries={"total_max_attempts": ATTEMPTS_MAX, "mode": "standard"},
        connect_timeout=patience.connect_s,
        read_timeout=patience.silence_s,
        max_pool_connections=CONNECTIONS_MAX,
        # Ours are sent and compared; servers other than Amazon's stumble over those that boto3 adds by itself.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _advice(error: ClientError) -> str:
    known = ADVICE.get(code(error)) or ADVICE.get(status(error))
    if known:
        return known
    if status(error) == 403:
        right = RIGHTS.get(error.operation_name, error.operation_name)
        return f"it refuses us; check {CREDENTIALS}, and that this key has the right {right}"
    return f"it answers {status(error)} {code(error)}; see its log"


def _unreachable(error: Exception) -> str:
    if isinstance(error, NoCredentialsError | CredentialRetrievalError):
        return f"we have no credentials; set {CREDENTIALS}"
    if isinstance(error, ResponseParserError):
        return "it answers what is no S3; check the endpoint in BUBBLES_BLOB_URL"
    return f"it cannot be reached ({type(error).__name__}); see that it runs"
