"""Which store a URL names."""

import re
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from bubbles.blobs.disk import DiskStore
from bubbles.blobs.store import KEY, BlobStore

S3_OPTIONS = ("endpoint", "region")


def open_store(url: str, *, access_key_id: str = "", secret_access_key: str = "") -> BlobStore:
    """The store that the URL names; nothing is asked of it yet.

    `file:///folder`, or `s3://bucket/prefix?endpoint=https://...&region=...` with prefix, endpoint and region
    optional. Without keys, boto3 looks for credentials in its usual places. Raises ValueError for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return _open_disk(parts)
    if parts.scheme == "s3":
        return _open_s3(parts, access_key_id, secret_access_key)
    raise ValueError(f"A store is file:///folder or s3://bucket/prefix?endpoint=...&region=..., not {url!r}.")


def _open_disk(parts: SplitResult) -> BlobStore:
    folder = Path(unquote(parts.path))
    if parts.netloc not in {"", "localhost"} or parts.query or parts.fragment:
        raise ValueError("A store on disk is file:///folder: three slashes, nothing after the folder.")
    if not folder.is_absolute() or folder == folder.parent or ".." in folder.parts:
        raise ValueError(f"A store on disk needs an absolute folder of its own, not {parts.path!r}.")
    return DiskStore(folder)


def _open_s3(parts: SplitResult, access_key_id: str, secret_access_key: str) -> BlobStore:
    from bubbles.blobs.s3 import S3Store  # noqa: PLC0415 - boto3 takes a while to import; disks need none

    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    if len(pairs) != len(options) or not options.keys() <= set(S3_OPTIONS):
        raise ValueError("An S3 store takes endpoint and region, each once: s3://bucket/prefix?endpoint=...&region=...")
    endpoint = options.get("endpoint", "")
    if endpoint and urlsplit(endpoint).scheme not in {"http", "https"}:
        raise ValueError(f"The endpoint of an S3 store is an http or https address, not {endpoint!r}.")
    if bool(access_key_id) != bool(secret_access_key):
        raise ValueError("An S3 store needs both an access key id and a secret access key, or neither.")
    prefix = parts.path.strip("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc) or (prefix and not KEY.fullmatch(prefix)):
        raise ValueError("An S3 store is s3://bucket/prefix: the names hold letters, digits, dots and dashes only.")
    return S3Store(
        parts.netloc,
        prefix=f"{prefix}/" if prefix else "",
        endpoint=endpoint,
        region=options.get("region", ""),
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
    )
