"""What is odd about a bucket that works: it tells strangers, keeps what is deleted, or has another time than we."""

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from botocore.exceptions import BotoCoreError, ClientError

from bubbles.blobs.bucket import Bucket, status
from bubbles.blobs.store import Trial
from bubbles.errors import Missing

SKEW_MAX_S = 60
"""S3 refuses requests that are 15 minutes off; long before that something is wrong."""

OPEN = (
    "The bucket is open: strangers may {what}. Make it private (block public access, take away its policy and ACLs); "
    "listeners are served by the application."
)
VERSIONED = (
    "The bucket keeps old versions (versioning is {status}), so that withdrawing a bubble purges nothing: have a "
    "lifecycle rule remove noncurrent versions after a day, and expired delete markers."
)


def found(bucket: Bucket, prefix: str) -> Iterator[Trial]:
    """What is tried beside the promises of every store; nothing of it stays in the bucket."""
    yield _clock(bucket)
    yield _said("versioning", lambda: _versioning(bucket))
    yield _said("strangers", lambda: _strangers(bucket, f"{prefix}probe/{secrets.token_hex(16)}"))


def _said(name: str, ask: Callable[[], Trial]) -> Trial:
    try:
        return ask()
    except (Missing, KeyError) as error:
        return Trial(name, f"It cannot be seen: {error}", is_grave=False)


def _clock(bucket: Bucket) -> Trial:
    try:
        headers = bucket.client.head_bucket(Bucket=bucket.name)["ResponseMetadata"]["HTTPHeaders"]
    except ClientError as error:
        headers = error.response["ResponseMetadata"]["HTTPHeaders"]
    except BotoCoreError:
        return Trial("clock")  # the other trials say that nobody answers
    told = headers.get("date")
    ahead_s = (datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds() if told else 0
    if abs(ahead_s) <= SKEW_MAX_S:
        return Trial("clock")
    way = "ahead of" if ahead_s > 0 else "behind"
    return Trial(
        "clock", f"The clock of this machine is {abs(ahead_s):.0f} s {way} the bucket's; set it by NTP.", False
    )


def _versioning(bucket: Bucket) -> Trial:
    try:
        with bucket.asking("versioning"):
            answered = bucket.client.get_bucket_versioning(Bucket=bucket.name).get("Status")
    except Missing as missing:
        if isinstance(missing.__cause__, ClientError) and status(missing.__cause__) in {400, 405, 501}:
            return Trial("versioning")  # a server that knows no versions
        raise
    return Trial("versioning", VERSIONED.format(status=answered) if answered else "", is_grave=False)


def _strangers(bucket: Bucket, name: str) -> Trial:
    stranger = bucket.stranger()
    with bucket.asking(name):
        bucket.client.put_object(Bucket=bucket.name, Key=name, Body=b"who reads this?")
    try:
        reads = _is_answered(stranger.client.head_object, Bucket=bucket.name, Key=name)
        lists = _is_answered(stranger.client.list_objects_v2, Bucket=bucket.name, MaxKeys=1)
    finally:
        with bucket.asking(name):
            bucket.client.delete_object(Bucket=bucket.name, Key=name)
    may = " and ".join(verb for verb, is_so in (("read blobs", reads), ("list them", lists)) if is_so)
    return Trial("strangers", OPEN.format(what=may) if may else "")


def _is_answered(ask: Callable[..., object], **asked: object) -> bool:
    try:
        ask(**asked)
    except (ClientError, BotoCoreError):
        return False
    return True
