"""Which store a URL names."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bubbles.blobs.disk import DiskStore
from bubbles.blobs.store import KEY, BlobStore

if TYPE_CHECKING:
    from bubbles.blobs.bucket import Patience

S3_OPTIONS: dict[str, str] = {
    "endpoint": r"https?://[^/?#]+(/[^?#]*)?",
    "region": r"[a-z0-9-]+",
    "addressing": "path|virtual",
    "conditional": "yes|no",
    "checksums": "yes|no",
}
"""What may follow the `?` of a bucket, each once, and how it is written."""

FORM = "s3://bucket/prefix?endpoint=...&region=...&addressing=path|virtual&conditional=yes|no&checksums=yes|no"


def open_store(
    url: str, *, access_key_id: str = "", secret_access_key: str = "", patience: "Patience | None" = None
) -> BlobStore:
    """The store that the URL names; nothing is asked of it yet.

    `file:///folder`, or `s3://bucket/prefix` with the options of `S3_OPTIONS`. Without keys, boto3 looks for
    credentials in its usual places. Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _open_disk(parts)
    if parts.scheme == "s3":
        return _open_s3(parts, access_key_id, secret_access_key, patience)
    raise ValueError(f"A store is file:///folder or s3://bucket/prefix?endpoint=...&region=..., not {url!r}.")


def _open_disk(parts: SplitResult) -> BlobStore:
    folder = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
        raise ValueError("A store on disk is file:///folder: three slashes, nothing after the folder.")
    if not folder.is_absolute() or folder == folder.parent or ".." in folder.parts:
        raise ValueError(f"A store on disk needs an absolute folder of its own, not {parts.path!r}.")
    return DiskStore(folder)


def _open_s3(parts: SplitResult, access_key_id: str, secret_access_key: str, patience: "Patience | None") -> BlobStore:
    from bubbles.blobs.bucket import Address  # noqa: PLC0415 - boto3 takes a while to import; disks need none
    from bubbles.blobs.s3 import S3Store  # noqa: PLC0415 - as above

    options = _options(parts.query)
    if bool(access_key_id) != bool(secret_access_key):
        raise ValueError("An S3 store needs both an access key id and a secret access key, or neither.")
    prefix = parts.path.strip("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc) or (prefix and not KEY.fullmatch(prefix)):
        raise ValueError("An S3 store is s3://bucket/prefix: the names hold letters, digits, dots and dashes only.")
    address = Address(
        parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=options.get("endpoint", ""),
        region=options.get("region", ""),
        addressing=_addressing(options),
        has_conditions=options.get("conditional") != "no",
        has_checksums=options.get("checksums") != "no",
    )
    return S3Store(address, access_key_id=access_key_id, secret_access_key=secret_access_key, patience=patience)


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if len(pairs) != len(options) or not options.keys() <= S3_OPTIONS.keys():
        raise ValueError(f"An S3 store takes these options, each once: {FORM}")
    for name, value in options.items():
        if value and not re.fullmatch(S3_OPTIONS[name], value):
            raise ValueError(f"An S3 store has no {name} {value!r}: {FORM}")
    return options


def _addressing(options: dict[str, str]) -> Literal["path", "virtual", "auto"]:
    """With an endpoint the bucket is a part of the path, which works without names of its own."""
    asked = options.get("addressing")
    if asked == "virtual":
        return "virtual"
    return "path" if asked == "path" or options.get("endpoint") else "auto"
