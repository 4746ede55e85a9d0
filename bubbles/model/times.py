"""Times as the house keeps them: aware, in UTC."""

import re
from datetime import UTC, datetime

from bubbles.errors import Code, Refused

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""What was recorded before is a clock that was never set."""

_RFC3339 = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
    r"(?P<minute>[0-9]{2}:[0-9]{2}):(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
    r"(?P<offset>[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""RFC 3339, section 5.6, and the space that its note allows; never without an offset."""


def utc_now() -> datetime:
    """The clock of the house; passed in as `now`, so that a test can hold it."""
    return datetime.now(UTC)


def hour_of(time: datetime) -> datetime:
    """The full hour that a time lies in."""
    return time.replace(minute=0, second=0, microsecond=0)


def rfc3339(time: datetime) -> str:
    """`2026-11-22T10:00:00Z`, to the second."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_rfc3339(text: str, *, what: str) -> datetime:
    """An aware time in UTC from RFC 3339 text, to the microsecond; raises `bad_request`, naming `what`.

    A leap second is the second before it, as clocks that know none have it.
    """
    try:
        if (read := _RFC3339.fullmatch(text)) is None:
            raise ValueError(text)
        second = "59" if read["second"] == "60" else read["second"]
        fraction = (read["fraction"] or "")[:6].ljust(6, "0")
        offset = read["offset"].replace("z", "Z")
        return datetime.fromisoformat(f"{read['date']}T{read['minute']}:{second}.{fraction}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(Code.BAD_REQUEST, f"{what} must be a time such as 2026-11-22T10:00:00Z.") from None
