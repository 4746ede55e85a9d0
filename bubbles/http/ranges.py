"""What a conditional or ranged request asks for (RFC 9110, sections 13 and 14): pure functions of header and length."""

import re

# More digits than any file is long, and fewer than Python refuses to read.
_RANGE = re.compile(r"bytes=([0-9]{0,4000})-([0-9]{0,4000})", re.IGNORECASE)
_ETAG = re.compile(r'(W/)?("[^"]*")')


def requested(header: str | None, length_bytes: int) -> range | None:
    """The bytes that a `Range` header asks for, as `range(start, stop)`.

    None means that the header is absent, malformed, of another unit or names several ranges: it is ignored and all is
    sent, as section 14.2 allows. An empty range means that the header cannot be satisfied: 416.
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return range(max(0, length_bytes - int(last)), length_bytes)
    start, stop = int(first), int(last) + 1 if last else length_bytes
    if last and stop <= start:
        return None
    return range(start, min(stop, length_bytes)) if start < length_bytes else range(0)


def lists(header: str | None, etag: str, *, weak: bool) -> bool:
    """Whether `If-None-Match` (`weak`) or `If-Match` (strong comparison) holds our strong `etag`, or `*`."""
    if header is None:
        return False
    tags = _ETAG.findall(header)
    return header.strip() == "*" or any(opaque == etag and (weak or not mark) for mark, opaque in tags)


def is_unchanged(if_range: str | None, etag: str) -> bool:
    """Whether `If-Range` lets a range be sent: absent, or our strong `etag`. A date never does: we send none."""
    return if_range is None or if_range.strip() == etag
